"""Where arrays live, how they get from host to device and back, and the sums NumPy wants otherwise.

The numerics run wherever the data are, in the array namespace `xp` of the data. What is small
lives on the host in NumPy: labels, statistics of the features, the vector of L-BFGS. NumPy
arrays answer to the same calls as all others, so nothing here asks for a library by name.
"""

from functools import lru_cache
from typing import Any

import numpy as np

from sk_mlp._backend.compat import supported_float_dtypes, to_host

Array = Any  # an array of any namespace of the array API standard

# Bytes of one temporary array. On the host it has to stay in the cache beside its neighbours;
# larger ones are also slower to allocate (measured: 256 rows x 100 units, float64). A device
# wants work for thousands of cores at a time; ten such arrays still fit a small one.
HOST_BYTES = 2**18
DEVICE_BYTES = 2**28


def place(xp: Any, values: np.ndarray, like: Array, dtype: Any = None) -> Array:
    """Bring a NumPy array to where the array `like` is, in `dtype` or its own."""
    if xp is not np:  # PyTorch may share the memory and warns if it must not write there
        values = np.require(values, requirements="W")
    return xp.asarray(values, dtype=dtype, device=getattr(like, "device", None))


def place_labels(xp: Any, labels: np.ndarray, like: Array) -> Array:
    """Bring class labels to where the array `like` is, unless only NumPy has their dtype."""
    return place(xp, labels, like) if labels.dtype.kind in "biuf" else labels


def to_numpy(array: Array) -> np.ndarray:
    """Copy an array to the host as float64; a NumPy float64 array is returned as it is."""
    return np.asarray(to_host(array), dtype=np.float64)


def widest_float(xp: Any, X: Array) -> Any:
    """Floating dtype to accumulate in: float64, or float32 on devices that know no other."""
    return np.float64 if xp is np else supported_float_dtypes(xp, X)[0]


def total(xp: Any, A: Array, dtype: Any) -> Any:
    """Sum of all elements of a vector, accumulated in `dtype`; it stays on the device."""
    # in NumPy the method of the ufunc takes a third of the time of the function
    return np.add.reduce(A, dtype=dtype) if xp is np else xp.sum(A, dtype=dtype)


def row_sum(xp: Any, A: Array) -> Array:
    """Sum of each row of a matrix; as a product with ones it is several times faster than `sum`."""
    return A @ _ones(xp, A, A.shape[1])


def set_column_sum(xp: Any, A: Array, out: Array) -> None:
    """Write the sum of each column of A to `out`."""
    set_product(_ones(xp, A, A.shape[0]), A, out)


def set_product(A: Array, B: Array, out: Array) -> None:
    """Write ``A @ B`` to `out`."""
    if isinstance(A, np.ndarray):  # saves a temporary array and a pass over it
        np.matmul(A, B, out=out)
    else:
        out[...] = A @ B


def _ones(xp: Any, like: Array, size: int) -> Array:
    if xp is np:
        return _host_ones(size, like.dtype)
    return xp.ones(size, dtype=like.dtype, device=like.device)


@lru_cache(maxsize=32)
def _host_ones(size: int, dtype: np.dtype) -> np.ndarray:
    ones = np.ones(size, dtype)
    ones.flags.writeable = False  # shared
    return ones
