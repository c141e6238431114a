"""The fit on a cluster gives the answer of one machine."""

import subprocess
import sys

import dask
import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV

from dask_cluster.problems import N_ROWS, SHORT, assert_same_fit, cut, cut_rows
from sk_mlp import TwoLayerMLPClassifier
from sk_mlp.dask import DaskTwoLayerMLPClassifier

# the fits are short on purpose
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


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


@pytest.mark.parametrize("unit", [1e-15, 1e15])
def test_the_unit_of_the_weights(client, problem, unit):
    X, y, weights = problem
    weights = unit * np.where(np.arange(N_ROWS) < 100, 1.0, weights)  # blocks of several units
    options = {**SHORT, "alpha": unit}
    local = TwoLayerMLPClassifier(solver="lbfgs", **options).fit(X, y, weights)
    ours = DaskTwoLayerMLPClassifier(**options).fit(
        cut(X, 100), cut_rows(y, 100), cut_rows(weights, 100)
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


def test_says_that_it_did_not_converge(client, problem):
    X, y, _ = problem
    network = DaskTwoLayerMLPClassifier(hidden_units=2, max_iter=2)
    with pytest.warns(ConvergenceWarning, match="max_iter=2"):
        network.fit(cut(X, 300), cut_rows(y, 300))
    assert not network.converged_


def test_a_useless_fit_is_a_warning(client, problem):
    X, y, _ = problem
    model = DaskTwoLayerMLPClassifier(4, alpha=1e9, random_state=0)
    with pytest.warns(ConvergenceWarning, match="learned nothing.*alpha=1000000000.0 is large"):
        model.fit(cut(X, 200), cut_rows(y, 200))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"solver": "adam"},
            r"'solver' .* must be a str among \{'auto', 'lbfgs'\}\. Got 'adam' instead",
        ),
        ({"alpha": -1.0}, "'alpha' .* Got -1.0"),
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


def test_no_client():
    code = (
        "import dask.array as da; from sk_mlp.dask import DaskTwoLayerMLPClassifier as D\n"
        "D().fit(da.zeros((4, 2)), da.zeros(4))"
    )
    command = [sys.executable, "-c", code]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert "ValueError: No Dask client found. Create one before fit" in outcome.stderr


def test_without_dask_the_extra_is_named():
    code = (
        "import sys\n"
        "sys.modules['distributed'] = None\n"
        "try:\n"
        "    import sk_mlp.dask\n"
        "except ImportError as error:\n"
        "    assert 'pip install \"sk_mlp[dask]\"' in str(error), error\n"
        "else:\n"
        "    raise AssertionError\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


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
