"""Where arrays live: the host or a device, and how they get from one to the other.

The numerics run wherever the data are, in the array namespace `xp` of the data. What is small
lives on the host in NumPy: labels, statistics of the features, the vector of L-BFGS. NumPy
arrays answer to the same calls as all others, so nothing here asks for a library by name.
"""

from typing import Any

import numpy as np

from sk_mlp._compat import supported_float_dtypes, to_host

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
