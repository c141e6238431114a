"""The parts of a fit on Dask: what runs on a worker, and what runs on the client."""
