"""Tests on array libraries other than NumPy; a package, so that its conftest has a name of its own."""
