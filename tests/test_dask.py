"""The fit on a Dask cluster: the answer of one machine, and what happens when the cluster fails.

Answers are tested on a cluster inside this process. Faults are tested with real processes.
"""

import gc
import itertools
import os
import signal
import subprocess
import sys
import threading
import time

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV

from sk_mlp import TwoLayerMLPClassifier

pytest.importorskip("distributed")

import dask
import dask.array as da
import dask.dataframe as dd
import pandas as pd
from distributed import Client, LocalCluster

from sk_mlp.dask import DaskTwoLayerMLPClassifier
from sk_mlp.dask.cluster import Cluster
from sk_mlp.dask.rows import place_rows, sample
from sk_mlp.dask.shards import split_evenly
from sk_mlp.dask.sums import subtotals, total
from sk_mlp.dask.team import Team

# the fits are short on purpose
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

N_ROWS, N_FEATURES = 600, 5
SHORT = {"hidden_units": 6, "n_init": 2, "max_iter": 40, "tol": 0.0, "random_state": 0}


@pytest.fixture(scope="module")
def client():
    with (
        LocalCluster(
            n_workers=3, threads_per_worker=1, processes=False, dashboard_address=":0"
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_ROWS, N_FEATURES)) * [1, 10, 1, 0.1, 1] + 3.0
    y = np.digitize((X[:, 0] - 3) * (X[:, 2] - 3), [-0.3, 0.3])
    weights = rng.integers(0, 4, N_ROWS).astype(np.float64)
    return X, y, weights


def cut(array, chunks, columns=None):
    return da.from_array(array, chunks=(chunks, columns or array.shape[1]))


def cut_rows(array, chunks):
    return da.from_array(array, chunks=(chunks,))


def assert_same_fit(distributed, local):
    assert distributed.n_iter_ == local.n_iter_
    assert_allclose(distributed.loss_, local.loss_, rtol=0, atol=1e-8)
    assert_allclose(distributed.loss_curve_, local.loss_curve_, rtol=0, atol=1e-8)
    assert_array_equal(distributed.classes_, local.classes_)
    assert_allclose(distributed.feature_importances_, local.feature_importances_, rtol=0, atol=1e-4)
    for ours, theirs in zip(distributed.coefs_, local.coefs_, strict=True):
        assert ours.dtype == theirs.dtype
        assert_allclose(ours, theirs, rtol=0, atol=1e-4)


@pytest.mark.parametrize("n_partitions", [1, 2, 5])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_same_answer_as_on_one_machine(client, problem, n_partitions, class_weight):
    X, y, weights = problem
    options = {**SHORT, "class_weight": class_weight}
    local = TwoLayerMLPClassifier(solver="lbfgs", **options).fit(X, y, weights)
    chunk = -(-N_ROWS // n_partitions)
    ours = DaskTwoLayerMLPClassifier(**options).fit(
        cut(X, chunk, 2), cut_rows(y, chunk), cut_rows(weights, 100)
    )
    assert_same_fit(ours, local)


def test_two_classes_strings_float32(client, problem):
    X, y, _ = problem
    X, y = X.astype(np.float32), np.where(y == 1, "yes", "no")
    options = {**SHORT, "max_iter": 8, "alpha": 1.0}
    local = TwoLayerMLPClassifier(solver="lbfgs", **options).fit(X, y)
    ours = DaskTwoLayerMLPClassifier(**options).fit(cut(X, 250), cut_rows(y, 250)[:, None])
    assert ours.coefs_[0].dtype == np.float32
    assert_array_equal(ours.classes_, ["no", "yes"])
    # single precision adds up blocks of rows in another order
    assert_allclose(ours.loss_curve_, local.loss_curve_, rtol=1e-4)


def test_multilabel(client, problem):
    X, _, weights = problem
    Y = (X[:, :3] > [3, 6, 3.5]).astype(int)
    local = TwoLayerMLPClassifier(solver="lbfgs", **SHORT).fit(X, Y, weights)
    ours = DaskTwoLayerMLPClassifier(**SHORT).fit(
        cut(X, 150), cut(Y, 150, 2), cut_rows(weights, 150)
    )
    assert_same_fit(ours, local)
    assert_array_equal(ours.predict(cut(X, 70)).compute(), local.predict(X))
    assert ours.score(cut(X, 70), cut(Y, 70)) == local.score(X, Y)
    with pytest.raises(ValueError, match="class_weight must be None for multilabel y"):
        clone(ours).set_params(class_weight="balanced").fit(cut(X, 150), cut(Y, 150))


@pytest.mark.parametrize("standardize", [True, False])
def test_sparse_blocks(client, problem, standardize):
    X, y, weights = problem
    X = np.where(X > 3.5, X, 0.0)
    options = {**SHORT, "standardize": standardize}
    local = TwoLayerMLPClassifier(solver="lbfgs", **options).fit(sparse.csr_matrix(X), y, weights)
    blocks = cut(X, 170, 2).map_blocks(sparse.csr_matrix, dtype=X.dtype)
    ours = DaskTwoLayerMLPClassifier(**options).fit(blocks, cut_rows(y, 170), cut_rows(weights, 99))
    assert_same_fit(ours, local)
    assert_allclose(ours.predict_proba(blocks).compute(), local.predict_proba(X), atol=1e-6)


def test_unequal_and_empty_partitions(client, problem):
    X, y, weights = problem
    weights[100:160] = 0.0  # a partition without weight
    chunks = (0, 100, 60, 3, 0, 437, 0)
    local = TwoLayerMLPClassifier(solver="lbfgs", **SHORT).fit(X, y, weights)
    ours = DaskTwoLayerMLPClassifier(**SHORT).fit(
        cut(X, chunks), cut_rows(y, chunks), cut_rows(weights, chunks)
    )
    assert_same_fit(ours, local)
    assert_array_equal(ours.predict(cut(X, chunks)).compute(), local.predict(X))


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


def test_same_bits_on_any_number_of_workers(client, problem):
    X, y, weights = problem
    data = cut(X, 77), cut_rows(y, 77), cut_rows(weights, 77)

    def bits():
        network = DaskTwoLayerMLPClassifier(**SHORT).fit(*data)
        return [network.loss_curve_, *(w.tolist() for w in network.coefs_ + network.intercepts_)]

    first = bits()
    assert bits() == first
    for n_workers in (1, 2):
        with (
            LocalCluster(
                n_workers=n_workers, threads_per_worker=2, processes=False, dashboard_address=":0"
            ) as cluster,
            Client(cluster).as_current(),
        ):
            assert bits() == first


def test_the_order_of_additions_depends_on_the_blocks_alone():
    blocks = {(i, i + 1): np.array([10.0 ** (i % 17)]) / 3 for i in range(13)}
    whole = total((0, 13), blocks)
    for cuts in ([0, 13], [0, 1, 13], [0, 4, 9, 13], list(range(14))):
        known = {}
        for held in itertools.pairwise(cuts):
            mine = {span: blocks[span] for span in blocks if held[0] <= span[0] < held[1]}
            known |= subtotals(held, (0, 13), mine)
        assert total((0, 13), known) == whole
    assert len(subtotals((0, 6), (0, 12), {**blocks})) == 1  # half of the tree is one sum


def test_shards_are_even_and_not_empty():
    assert split_evenly([1] * 7, 3) == [(0, 2), (2, 5), (5, 7)]
    assert split_evenly([5], 3) == [(0, 1)]
    assert split_evenly([100, 1, 1, 1, 1, 96], 2) == [(0, 1), (1, 6)]
    assert split_evenly([0, 0, 4, 4], 2) == [(0, 3), (3, 4)]


@pytest.mark.parametrize(
    "method", ["predict", "predict_proba", "predict_log_proba", "decision_function", "transform"]
)
def test_predictions_are_lazy_and_those_of_the_local_estimator(client, problem, method):
    X, y, _ = problem
    network = DaskTwoLayerMLPClassifier(**SHORT).fit(cut(X, 200), cut_rows(y, 200))
    local = network.to_local()
    assert type(local) is TwoLayerMLPClassifier
    lazy, expected = getattr(network, method)(cut(X, 90, 2)), getattr(local, method)(X)
    assert isinstance(lazy, da.Array)
    assert lazy.dtype == expected.dtype
    assert lazy.shape == expected.shape
    assert lazy.chunks[0] == (90,) * 6 + (60,)
    assert_allclose(lazy.compute(), expected, rtol=1e-10)
    assert_array_equal(getattr(network, method)(X), expected)  # data in memory


def test_local_estimator_continues_a_stream(client, problem):
    X, y, _ = problem
    network = DaskTwoLayerMLPClassifier(**SHORT).fit(cut(X, 200), cut_rows(y, 200))
    local = network.to_local().set_params(solver="adam")
    assert local.partial_fit(X[:50], y[:50]).loss_ < 1.2 * network.loss_


def test_warm_start_continues(client, problem):
    X, y, _ = problem
    data = cut(X, 200), cut_rows(y, 200)
    network = DaskTwoLayerMLPClassifier(**SHORT, warm_start=True).fit(*data)
    before = network.loss_
    network.fit(*data)
    assert network.n_init_losses_ == [network.loss_]
    assert network.loss_ < before
    with pytest.raises(ValueError, match=r"warm_start=True continues .* hidden_units 6; got 7"):
        network.set_params(hidden_units=7).fit(*data)


def test_nothing_is_left_on_the_cluster(client, problem):
    X, y, _ = problem
    gc.collect()  # what earlier failures left
    gc.disable()
    try:
        DaskTwoLayerMLPClassifier(**SHORT).fit(cut(X, 100), cut_rows(y, 100))
        deadline = time.monotonic() + 10.0
        while tasks := client.run_on_scheduler(lambda dask_scheduler: list(dask_scheduler.tasks)):
            assert time.monotonic() < deadline, tasks
            time.sleep(0.05)
    finally:
        gc.enable()


def test_a_failed_fit_leaves_nothing_on_the_cluster(client, problem):
    X, y, _ = problem
    X = X.copy()
    X[450, 2] = np.nan
    with pytest.raises(ValueError, match="NaN") as held:  # with all frames and their futures
        DaskTwoLayerMLPClassifier(**SHORT).fit(cut(X, 100), cut_rows(y, 100))
    deadline = time.monotonic() + 10.0
    while tasks := client.run_on_scheduler(lambda dask_scheduler: list(dask_scheduler.tasks)):
        assert time.monotonic() < deadline, tasks
        time.sleep(0.05)
    assert held.value.__traceback__ is not None


def test_a_fit_inside_a_task_is_an_error(client):
    def fit():
        X = da.ones((4, 2), chunks=2)
        return DaskTwoLayerMLPClassifier().fit(X, X[:, 0])

    with pytest.raises(RuntimeError, match="inside a Dask task"):
        client.submit(fit, pure=False).result(timeout=30)


def test_units_are_in_the_order_of_one_machine(client):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(9000, 4))
    X[1::4] *= 3.0  # every fourth row of all is not like the others
    y, weights = (X[:, 0] * X[:, 1] > 0).astype(int), rng.integers(0, 3, 9000).astype(float)
    options = {**SHORT, "hidden_units": 16, "n_init": 1, "max_iter": 15}
    local = TwoLayerMLPClassifier(solver="lbfgs", **options).fit(X, y, weights)
    chunks = (1001, 0, 2, 4998, 2999)
    ours = DaskTwoLayerMLPClassifier(**options).fit(
        cut(X, chunks), cut_rows(y, chunks), cut_rows(weights, chunks)
    )
    assert_same_fit(ours, local)


def test_says_that_it_did_not_converge(client, problem):
    X, y, _ = problem
    network = DaskTwoLayerMLPClassifier(hidden_units=2, max_iter=2)
    with pytest.warns(ConvergenceWarning, match="max_iter=2"):
        network.fit(cut(X, 300), cut_rows(y, 300))
    assert not network.converged_


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"solver": "adam"}, "'solver' .* must be 'auto', 'lbfgs'; got 'adam'"),
        ({"alpha": -1.0}, "'alpha' .* got -1.0"),
        ({"class_weight": dict.fromkeys(range(3), 0.0)}, "class_weight is zero for every row"),
    ],
)
def test_errors_of_parameters(client, problem, options, message):
    X, y, _ = problem
    network = DaskTwoLayerMLPClassifier(**options)
    with pytest.raises(ValueError, match=message):
        network.fit(cut(X, 300), cut_rows(y, 300))
    with pytest.raises(NotFittedError):
        network.predict(cut(X, 300))


def test_errors_of_data(client, problem):
    X, y, weights = problem
    network, DX, dy = DaskTwoLayerMLPClassifier(), cut(X, 300), cut_rows(y, 300)
    with pytest.raises(TypeError, match="X must be a Dask array or dataframe, got ndarray"):
        network.fit(X, y)
    with pytest.raises(TypeError, match="y must be a Dask array or dataframe, got ndarray"):
        network.fit(DX, y)
    with pytest.raises(ValueError, match="X has 600 rows, y has 500"):
        network.fit(DX, dy[:500])
    unknown = dy[dy >= 0]
    with pytest.raises(ValueError, match="X has 6 partitions, y has 2, and their sizes"):
        network.fit(cut(X, 100), unknown)
    with pytest.raises(ValueError, match="block 1 of the data: X has 300 rows, y has"):
        network.fit(DX, dy[~((dy == 0) & (da.arange(N_ROWS, chunks=300) > 350))])
    with pytest.raises(ValueError, match="one class 7"):
        network.fit(DX, da.full_like(dy, 7))
    with pytest.raises(ValueError, match="Negative values in data passed to `sample_weight`"):
        network.fit(DX, dy, cut_rows(weights - 1.0, 300))
    with pytest.raises(ValueError, match="sample_weight is zero for every sample"):
        network.fit(DX, dy, cut_rows(0.0 * weights, 300))
    with pytest.raises(ValueError, match="y must be 1d or a multilabel indicator"):
        network.fit(DX, cut(np.stack([y, 2 - y], axis=1), 300))
    broken = X.copy()
    broken[450, 2] = np.nan
    with pytest.raises(ValueError, match=r"block 1 of the data: .*NaN"):
        network.fit(cut(broken, 300), dy)
    with pytest.raises(ValueError, match="X has no rows"):
        network.fit(DX[:0], dy[:0])


@pytest.mark.parametrize("by", ["sample_weight", "class_weight", "balanced"])
def test_a_class_without_weight(client, problem, by):
    X, y, weights = problem
    weights = weights if by == "class_weight" else weights * (y != 2)
    class_weight = {"class_weight": {2: 0.0}, "balanced": "balanced"}.get(by)
    options = {**SHORT, "class_weight": class_weight}
    local = TwoLayerMLPClassifier(solver="lbfgs", **options).fit(X, y, weights)
    ours = DaskTwoLayerMLPClassifier(**options).fit(
        cut(X, 250), cut_rows(y, 250), cut_rows(weights, 250)
    )
    assert_same_fit(ours, local)
    assert_array_equal(ours.classes_, [0, 1, 2])


def test_alpha_is_chosen_as_on_one_machine(client, problem):
    X, y, weights = problem
    data = cut(X, (0, 250, 350)), cut_rows(y, (0, 250, 350)), cut_rows(weights, (0, 250, 350))
    local = TwoLayerMLPClassifier(solver="lbfgs", **SHORT).fit(X, y, weights)
    ours = DaskTwoLayerMLPClassifier(**SHORT, warm_start=True).fit(*data)
    assert_allclose(ours.alpha_, local.alpha_, rtol=1e-12)
    assert_allclose(ours.alphas_, local.alphas_, rtol=1e-12)
    assert_allclose(ours.alpha_scores_, local.alpha_scores_, atol=1e-8)
    chosen = ours.alpha_
    assert ours.fit(data[0] * 0.5, *data[1:]).alpha_ == chosen  # a warm start keeps it
    assert ours.to_local().alpha_ == chosen
    given = clone(ours).set_params(alpha=2.0).fit(*data)
    assert given.alpha_ == 2.0
    assert not hasattr(given, "alphas_")


@pytest.mark.parametrize("sparse_blocks", [False, True])
def test_sample_is_at_a_stride_over_all_blocks(client, problem, sparse_blocks):
    X, y, weights = problem
    chunks = (0, 100, 3, 60, 437)
    DX = cut(X, chunks)
    if sparse_blocks:
        DX = DX.map_blocks(sparse.csr_matrix, dtype=X.dtype)
    with Cluster(client) as cluster:
        rows = place_rows(
            cluster,
            TwoLayerMLPClassifier(),
            DX,
            cut_rows(y, chunks),
            cut_rows(weights, chunks),
        )
        some = sample(rows, lambda n_rows: n_rows // 70)
        kept = np.flatnonzero(weights)
        kept = kept[:: len(kept) // 70]
        assert_array_equal(some.X, X[kept])
        assert_array_equal(some.target.encoded, y[kept])
        assert_array_equal(some.weights, weights[kept])
        rows.shards.futures = {}  # as if all were lost
        assert_array_equal(sample(rows, lambda n_rows: n_rows // 70).X, some.X)


def test_no_client():
    code = (
        "import dask.array as da; from sk_mlp.dask import DaskTwoLayerMLPClassifier as D\n"
        "D().fit(da.zeros((4, 2)), da.zeros(4))"
    )
    command = [sys.executable, "-c", code]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "ValueError: No Dask client found. Create one before fit" in outcome.stderr


def test_grid_search_on_the_cluster(client, problem):
    X, y, _ = problem
    network = TwoLayerMLPClassifier(hidden_units=3, solver="lbfgs", n_init=1, random_state=0)
    search = GridSearchCV(network, {"alpha": [0.1, 10.0]}, cv=2, scoring="neg_log_loss")
    expected = clone(search).fit(X, y)
    with joblib.parallel_config(backend="dask"):
        search.fit(X, y)
    scores = search.cv_results_["mean_test_score"]
    assert_allclose(scores, expected.cv_results_["mean_test_score"], rtol=1e-9)
    assert search.best_params_ == expected.best_params_


def test_partitions_as_a_stream(client, problem):
    X, y, _ = problem
    blocks = zip(cut(X, 100).to_delayed().ravel(), cut_rows(y, 100).to_delayed(), strict=True)
    ours, expected = (TwoLayerMLPClassifier(hidden_units=3, random_state=0) for _ in range(2))
    for i, block in enumerate(blocks):
        ours.partial_fit(*dask.compute(*block), classes=[0, 1, 2])
        rows = slice(100 * i, 100 * (i + 1))
        expected.partial_fit(X[rows], y[rows], classes=[0, 1, 2])
    assert_array_equal(ours.coefs_[0], expected.coefs_[0])


@pytest.mark.parametrize(
    ("ncores", "error", "message"),
    [
        ({"a": 1}, MemoryError, "paused because they are short of memory"),
        ({}, RuntimeError, "no workers. Start some"),
    ],
)
def test_a_cluster_that_stands_still_is_an_error(client, monkeypatch, ncores, error, message):
    cluster = Cluster(client)
    cluster.check()
    answers = {"ncores": ncores, "ncores_running": {}}
    monkeypatch.setattr(cluster, "_ask", answers.get)
    cluster.check()  # for a short time it may
    monkeypatch.setattr("sk_mlp.dask.cluster.STALL_SECONDS", -1.0)
    with pytest.raises(error, match=message):
        cluster.check()


def test_workers_that_are_lost_again_and_again_are_an_error(client, problem, monkeypatch):
    class Lost:
        def result(self, timeout):
            raise OSError

    monkeypatch.setattr(Team, "_call", lambda self, held, params: Lost())
    X, y, _ = problem
    with pytest.raises(RuntimeError, match=r"died again and again .* 3 workers that held blocks"):
        DaskTwoLayerMLPClassifier().fit(cut(X, 300), cut_rows(y, 300))


# Faults, with real processes.


@pytest.fixture(scope="module")
def fork_server():
    """Start workers from a server that has imported what they need, which is quicker."""
    with dask.config.set({"distributed.worker.multiprocessing-method": "forkserver"}):
        yield


def circles(n_rows=30_000):
    rng = np.random.default_rng(1)
    X = rng.normal(size=(n_rows, 8))
    return cut(X, n_rows // 7), cut_rows((X[:, 0] ** 2 + X[:, 1] ** 2 > 2).astype(int), n_rows // 7)


def test_a_worker_killed_in_the_middle_costs_time_but_not_the_answer(fork_server, capfd):
    options = {"hidden_units": 8, "n_init": 1, "max_iter": 60, "tol": 0.0, "random_state": 0}
    with (
        LocalCluster(
            processes=True, n_workers=3, threads_per_worker=1, dashboard_address=":0"
        ) as cluster,
        Client(cluster) as client,
    ):
        expected = DaskTwoLayerMLPClassifier(**options).fit(*circles())
        victim = client.run(os.getpid).popitem()[1]
        network = DaskTwoLayerMLPClassifier(**options)
        killed = []

        def kill(self, iteration, x, loss, validation_loss):
            if iteration == 20 and not killed:
                killed.append(victim)
                os.kill(victim, signal.SIGKILL)
            return False

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sk_mlp._reporting.Reporter.end_iteration", kill)
            network.set_params(verbose=1).fit(*circles())
        assert killed
        assert victim not in client.run(os.getpid).values()
    assert network.loss_curve_ == expected.loss_curve_
    for ours, theirs in zip(network.coefs_, expected.coefs_, strict=True):
        assert_array_equal(ours, theirs)


def test_the_only_worker_killed_and_restarted_costs_time_but_not_the_answer(fork_server):
    options = {"hidden_units": 8, "n_init": 1, "max_iter": 40, "tol": 0.0, "random_state": 0}
    with (
        LocalCluster(
            processes=True, n_workers=1, threads_per_worker=1, dashboard_address=":0"
        ) as cluster,
        Client(cluster) as client,
    ):
        expected = DaskTwoLayerMLPClassifier(**options).fit(*circles())
        victim = client.run(os.getpid).popitem()[1]
        killed = []

        def kill(self, iteration, x, loss, validation_loss):
            if iteration == 10 and not killed:
                killed.append(victim)
                os.kill(victim, signal.SIGKILL)
            return False

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sk_mlp._reporting.Reporter.end_iteration", kill)
            network = DaskTwoLayerMLPClassifier(**options, verbose=1).fit(*circles())
    assert killed
    assert network.loss_curve_ == expected.loss_curve_


@pytest.fixture
def scheduler(tmp_path):
    """A scheduler and a worker, each a process of its own."""
    path = str(tmp_path / "scheduler.json")
    command = [sys.executable, "-m", "distributed.cli.dask_{}", "--scheduler-file", path]
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    more = {
        "scheduler": ["--port", "0", "--no-dashboard"],
        "worker": ["--no-nanny", "--no-dashboard", "--nthreads", "1"],
    }
    processes = [
        subprocess.Popen([part.format(name) for part in command] + more[name], **silent)
        for name in ("scheduler", "worker")
    ]
    try:
        yield path, processes[0]
    finally:
        for process in processes:
            process.kill()
            process.wait()


@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_a_lost_scheduler_is_an_error_in_bounded_time(scheduler, how):
    path, process = scheduler
    with (
        dask.config.set({"distributed.comm.timeouts.tcp": "11s"}),  # the least it takes
        Client(scheduler_file=path, timeout=60) as client,
    ):
        client.wait_for_workers(1, timeout=60)
        end = signal.SIGKILL if how == "killed" else signal.SIGSTOP
        timer = threading.Timer(1.0, process.send_signal, [end])
        timer.start()
        network = DaskTwoLayerMLPClassifier(max_iter=100_000, tol=0.0)
        with pytest.raises(RuntimeError, match=r"scheduler tcp://.* was lost during the fit"):
            network.fit(*circles())
        timer.join()
        process.kill()
    assert not hasattr(network, "coefs_")


def hoard(block):
    """Use more memory than there is, as slowly as a nanny can look on."""
    hoarded = []
    for _ in range(200):
        hoarded.append(np.ones(2**21))
        threading.Event().wait(0.05)
    return block


def test_a_worker_out_of_memory_is_reported_as_such(fork_server):
    # at the first death; by default Dask tries the task on three more workers
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(
            processes=True,
            n_workers=1,
            threads_per_worker=1,
            memory_limit="400MB",
            dashboard_address=":0",
        ) as cluster,
        Client(cluster),
    ):
        X, y = circles(700)
        with pytest.raises(MemoryError, match="1 were stopped by their nanny, the last with"):
            DaskTwoLayerMLPClassifier().fit(X.map_blocks(hoard, meta=np.empty((0, 0))), y)
