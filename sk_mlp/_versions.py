"""Versions to put into a bug report."""

import importlib.metadata
import platform
import sys

from threadpoolctl import threadpool_info

PACKAGES = (
    "sk_mlp", "numpy", "scipy", "scikit-learn", "joblib", "threadpoolctl",
    "pandas", "pyarrow", "polars", "matplotlib", "rich",
    "skops", "onnx", "skl2onnx", "onnxruntime", "torch", "array-api-compat", "dask", "distributed",
)  # fmt: skip


def show_versions() -> None:
    """Print the versions of Python, of this package and of what it works with.

    Please add them to a bug report. Optional packages that are not installed are "None".

    Examples
    --------
    >>> from sk_mlp import show_versions
    >>> show_versions()
    System:
    ...
    """
    print("System:")  # noqa: T201
    _print({"python": sys.version, "executable": sys.executable, "machine": platform.platform()})
    print("\nPackages:")  # noqa: T201
    _print({name: _version(name) for name in PACKAGES})
    print("\nThreads:")  # noqa: T201
    for library in threadpool_info():
        _print({library["internal_api"]: f"{library['version']}, {library['num_threads']} threads"})


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _print(values: dict[str, str | None]) -> None:
    for name, value in values.items():
        print(f"{name:>16}: {value}")  # noqa: T201
