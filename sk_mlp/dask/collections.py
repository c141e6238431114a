"""Dask collections: partitions of what goes into a fit, lazy results of what comes out."""

from typing import Any

import dask
import dask.array as da
import numpy as np

Delayed = Any


def is_frame(collection: Any) -> bool:
    """Return True for a Dask dataframe or series, without importing pandas."""
    return dask.is_dask_collection(collection) and hasattr(collection, "map_partitions")


def is_array(collection: Any) -> bool:
    """Return True for a Dask array."""
    return isinstance(collection, da.Array)


def whole_rows(collection: Any) -> Any:
    """Return the same collection, with blocks that hold whole rows."""
    if is_array(collection) and collection.ndim == 2 and collection.numblocks[1] > 1:
        return collection.rechunk({1: -1})
    return collection


def row_partitions(X: Any, y: Any, sample_weight: Any) -> list[Delayed]:
    """Return (X, y, sample_weight) of each partition, with equal rows."""
    named = {"X": X, "y": y, "sample_weight": sample_weight}
    if sample_weight is None:
        del named["sample_weight"]
    columns = []
    for name, collection in named.items():
        if not (is_array(collection) or is_frame(collection)):
            raise TypeError(
                f"{name} must be a Dask array or dataframe, got {type(collection).__name__}. "
                "Data in memory are for TwoLayerMLPClassifier."
            )
        if X.ndim != 2:
            raise ValueError(f"X must have two dimensions, got {X.ndim}.")
        collection = whole_rows(collection)
        if is_array(X) and is_array(collection) and np.isfinite(X.shape[0] + collection.shape[0]):
            if collection.shape[0] != X.shape[0]:
                raise ValueError(f"X has {X.shape[0]} rows, {name} has {collection.shape[0]}.")
            collection = collection.rechunk({0: X.chunks[0]})
        columns.append(list(np.ravel(collection.to_delayed())))
        if len(columns[-1]) != len(columns[0]):
            raise ValueError(
                f"X has {len(columns[0])} partitions, {name} has {len(columns[-1])}, and their sizes "
                "are not known. Give both the same partitions, or call compute_chunk_sizes()."
            )
    if sample_weight is None:
        columns.append([None] * len(columns[0]))
    return [dask.delayed(part) for part in zip(*columns, strict=True)]


def row_of_zeros(X: Any) -> Any:
    """Return one row of the kind and the dtypes of X, without computing anything.

    Categories may be unknown before the data are read, so their columns are float64.
    """
    if is_array(X):
        return np.zeros((1, X.shape[1]), dtype=X.dtype)
    dtypes = X._meta.dtypes
    dtypes = dtypes.where(dtypes != "category", np.dtype(np.float64))
    zeros = np.zeros((1, X.shape[1]), dtype=np.int8)
    return type(X._meta)(zeros, columns=X.columns).astype(dtypes)


def per_block(network: Any, method: str, X: Any) -> Any:
    """Call a method of a network with each block of X; return a Dask array, not yet computed.

    The dtype and the number of columns are found by a call for one row of zeros.
    """
    X = whole_rows(X)
    none = getattr(network, method)(row_of_zeros(X))[:0]

    def rows(block: Any, network: Any) -> Any:
        return getattr(network, method)(block) if block.shape[0] else none

    shared = dask.delayed(network)
    if is_array(X):
        shape = {"drop_axis": 1} if none.ndim == 1 else {"chunks": (X.chunks[0], none.shape[1:])}
        return X.map_blocks(rows, network=shared, meta=none, **shape)
    lazy = dask.delayed(rows)
    blocks = [
        da.from_delayed(lazy(block, shared), (np.nan, *none.shape[1:]), meta=none)
        for block in X.to_delayed()
    ]
    return da.concatenate(blocks, allow_unknown_chunksizes=True)
