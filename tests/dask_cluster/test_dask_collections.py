"""Data frames: partitions of unknown sizes, and the dtypes of pandas."""

import dask.array as da
import dask.dataframe as dd
import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone

from dask_cluster.problems import N_ROWS, SHORT, assert_same_fit
from sk_mlp import TwoLayerMLPClassifier
from sk_mlp.dask import DaskTwoLayerMLPClassifier

# the fits are short on purpose
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


def test_data_frames_of_unknown_sizes(client, problem):
    X, y, _ = problem
    frame = pd.DataFrame(X, columns=list("abcde")).assign(y=y, keep=np.arange(N_ROWS) > 210)
    frames = dd.from_pandas(frame, npartitions=3)
    frames = frames[frames["keep"]]  # one partition is empty now
    local = TwoLayerMLPClassifier(solver="lbfgs", **SHORT).fit(X[211:], y[211:])
    ours = DaskTwoLayerMLPClassifier(**SHORT).fit(frames[list("abcde")], frames["y"])
    assert_same_fit(ours, local)
    assert_array_equal(ours.feature_names_in_, list("abcde"))
    predicted = ours.predict_proba(frames[list("abcde")])
    assert isinstance(predicted, da.Array)
    assert_allclose(predicted.compute(), local.predict_proba(X[211:]), atol=1e-5)
    assert ours.score(frames[list("abcde")], frames["y"]) == local.score(X[211:], y[211:])
    with pytest.raises(ValueError, match="feature names"):
        ours.predict(frames[list("edcba")])
    arrays = frames[list("abcde")].to_dask_array(), frames["y"].to_dask_array()
    assert np.isnan(arrays[0].shape[0])
    assert clone(ours).fit(*arrays).loss_ == ours.loss_


EXTENSION_DTYPES = {
    "Float64": "Float64",
    "boolean": "boolean",
    "Int32": "Int32",
    "double[pyarrow]": "double[pyarrow]",
    "category": "category",
    "int8 and float32": {"a": "int8", "b": "float32"},
}


@pytest.mark.parametrize("dtype", EXTENSION_DTYPES.values(), ids=EXTENSION_DTYPES)
def test_extension_dtypes_give_the_fit_of_one_machine(client, dtype):
    rng = np.random.default_rng(0)
    values = rng.integers(0, 2 if dtype == "boolean" else 5, size=(80, 2))
    frame = pd.DataFrame(values, columns=["a", "b"]).astype(dtype)
    y = pd.Series(np.where(values.sum(axis=1) > values.sum(axis=1).mean(), 1, 0))
    local = TwoLayerMLPClassifier(solver="lbfgs", **{**SHORT, "max_iter": 5}).fit(frame, y)
    frames = dd.from_pandas(frame, npartitions=3)
    ours = DaskTwoLayerMLPClassifier(**{**SHORT, "max_iter": 5})
    ours.fit(frames, dd.from_pandas(y, npartitions=3))
    assert ours.coefs_[0].dtype == local.coefs_[0].dtype
    assert_allclose(ours.loss_curve_, local.loss_curve_, rtol=1e-5)
    assert_allclose(ours.predict_proba(frames).compute(), local.predict_proba(frame), atol=1e-4)


@pytest.mark.parametrize("dtype", ["Int64", "boolean", "category", "string[pyarrow]"])
def test_labels_of_extension_dtypes(client, problem, dtype):
    X, y, _ = problem
    labels = pd.Series(y > 0 if dtype == "boolean" else y).astype(dtype)
    frame = pd.DataFrame(X, columns=list("abcde"))
    local = TwoLayerMLPClassifier(solver="lbfgs", **{**SHORT, "max_iter": 2}).fit(frame, labels)
    frames, dlabels = (dd.from_pandas(part, npartitions=3) for part in (frame, labels))
    ours = DaskTwoLayerMLPClassifier(**{**SHORT, "max_iter": 2}).fit(frames, dlabels)
    assert ours.classes_.tolist() == local.classes_.tolist()
    assert ours.classes_.dtype == local.classes_.dtype
    assert ours.score(frames, dlabels) == local.score(frame, labels)
