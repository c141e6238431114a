"""Tests of fits on a Dask cluster."""
