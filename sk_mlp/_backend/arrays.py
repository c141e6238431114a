"""Array libraries and devices: transfers to and from the host, and reductions with a NumPy fast path.

The numerics run where the data are. Small things stay on the host in NumPy: labels, statistics
of the features, the vector of L-BFGS. Where NumPy has a faster way than the standard, the choice
is made here, once.
"""

from functools import lru_cache
from typing import Any

import numpy as np

from sk_mlp._backend.compat import array_namespace, supported_float_dtypes, to_host

Array = Any  # an array of any namespace of the array API standard

_namespaces: dict[type, Any] = {np.ndarray: np}


def namespace_of(array: Array) -> Any:
    """Return the library of an array; that of a sparse matrix is NumPy.

    Unlike `compat.namespace` it does not depend on the configuration of scikit-learn, and it is
    cheap enough (0.1 us) to be asked by every function that needs it.
    """
    kind = type(array)
    if kind not in _namespaces:
        _namespaces[kind] = array_namespace(array)
    return _namespaces[kind]


def place(values: np.ndarray, like: Array, dtype: Any = None) -> Array:
    """Bring a NumPy array to where the array `like` is, in `dtype` or its own."""
    xp = namespace_of(like)
    if xp is not np:  # PyTorch may share the memory and warns if it must not write there
        values = np.require(values, requirements="W")
    return xp.asarray(values, dtype=dtype, device=getattr(like, "device", None))


def place_labels(labels: np.ndarray, like: Array) -> Array:
    """Bring class labels to where the array `like` is, unless only NumPy has their dtype."""
    return place(labels, like) if labels.dtype.kind in "biuf" else labels


def to_numpy(array: Array) -> np.ndarray:
    """Copy an array to the host as float64; a NumPy float64 array is returned as it is."""
    return np.asarray(to_host(array), dtype=np.float64)


def on_host(array: Array) -> bool:
    """Return True if the array is NumPy's or sparse, so that the CPU's caches matter."""
    return namespace_of(array) is np


def widest_float(X: Array) -> Any:
    """Floating dtype to accumulate in: float64, or float32 on devices that know no other."""
    return np.float64 if on_host(X) else supported_float_dtypes(namespace_of(X), X)[0]


def empty(shape: Any, like: Array, dtype: Any = None) -> Array:
    """Return a new array without values, where `like` is."""
    xp = namespace_of(like)
    dtype = like.dtype if dtype is None else dtype
    return xp.empty(shape, dtype=dtype, device=getattr(like, "device", None))


def reshape(array: Array, shape: tuple[int, ...]) -> Array:
    """Return a view of another shape."""
    # in NumPy the method is three times as fast as the function
    if type(array) is np.ndarray:
        return array.reshape(shape)
    return namespace_of(array).reshape(array, shape)


def take_rows(array: Array, index: Array) -> Array:
    """Return a view of a slice of the rows, or a copy of the rows with these numbers."""
    if isinstance(index, slice):
        return array[index, ...]
    if type(array) is np.ndarray:
        # up to three times as fast as `array[index]`; of a strided array it would first copy all
        if array.flags.c_contiguous:
            return array.take(index, axis=0)
        if array.flags.f_contiguous:
            return array.T.take(index, axis=1).T
    xp = namespace_of(array)
    return array[index] if xp is np else xp.take(array, index, axis=0)


def total(A: Array, dtype: Any) -> Any:
    """Sum of all elements of a vector, accumulated in `dtype`; it stays on the device."""
    # in NumPy the method of the ufunc takes a third of the time of the function
    if type(A) is np.ndarray:
        return np.add.reduce(A, dtype=dtype)
    return namespace_of(A).sum(A, dtype=dtype)


def positive_part(Z: Array) -> Array:
    """max(z, 0), elementwise."""
    # the standard has no maximum with a Python scalar; in NumPy it saves two calls
    if type(Z) is np.ndarray:
        return np.maximum(Z, 0.0)
    xp = namespace_of(Z)
    return xp.maximum(Z, xp.zeros_like(Z[:1, :1]))


def row_max(A: Array) -> Array:
    """Maximum of each row of a matrix, shape (n_rows, 1)."""
    if type(A) is np.ndarray:  # half the time of `max`, on few outputs
        return np.maximum.reduce(A, axis=1, keepdims=True)
    return namespace_of(A).max(A, axis=1, keepdims=True)


def row_sum(A: Array) -> Array:
    """Sum of each row of a matrix; as a product with ones it is several times faster than `sum`."""
    return A @ _ones(A, A.shape[1])


def set_column_sum(A: Array, out: Array) -> None:
    """Write the sum of each column of A to `out`."""
    set_product(_ones(A, A.shape[0]), A, out)


def set_product(A: Array, B: Array, out: Array) -> None:
    """Write ``A @ B`` to `out`."""
    if type(A) is np.ndarray:  # saves a temporary array and a pass over it
        np.matmul(A, B, out=out)
    else:
        out[...] = A @ B


def _ones(like: Array, size: int) -> Array:
    if type(like) is np.ndarray:
        return _host_ones(size, like.dtype)
    return namespace_of(like).ones(size, dtype=like.dtype, device=like.device)


@lru_cache(maxsize=32)
def _host_ones(size: int, dtype: np.dtype) -> np.ndarray:
    ones = np.ones(size, dtype)
    ones.flags.writeable = False  # shared
    return ones
