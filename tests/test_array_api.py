"""The same code in every array namespace, device and dtype.

SciPy reads SCIPY_ARRAY_API when it is imported. Without it the tests below are skipped and
`test_with_array_api_on` runs this file, and the guide page, in a process that has it.
"""

import copy
import io
import json
import os
import pickle
import subprocess
import sys
import unittest
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn import config_context
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import _array_api
from sklearn.utils.estimator_checks import estimator_checks_generator

from sk_mlp import TwoLayerMLPClassifier
from sk_mlp._backend.compat import to_host
from sk_mlp._backend.rows import DEVICE_BYTES, gradient_rows

ROOT = Path(__file__).parents[1]
ON = os.environ.get("SCIPY_ARRAY_API") == "1"
# device2 makes float32 unless asked for float64; neither it nor no_float64 converts to NumPy
SPACES = ("torch", "strict:device2", "strict:no_float64")
METHODS = ("predict_proba", "predict_log_proba", "decision_function", "transform")
FULL_BATCH = (
    {"solver": "lbfgs", "max_iter": 25},
    {"solver": "adam", "batch_size": 120, "max_iter": 25},
    {"solver": "sgd", "batch_size": 120, "max_iter": 25},
)
MINIBATCH = (
    {"solver": "adam", "batch_size": 25, "max_iter": 8},
    {"solver": "sgd", "batch_size": 25, "max_iter": 8},
)
# earlier versions of scikit-learn lack its move_estimator_to and checks of the namespace
COMPLETE = hasattr(_array_api, "move_estimator_to")
needs_array_api = pytest.mark.skipif(
    not (ON and COMPLETE), reason="runs where SCIPY_ARRAY_API=1, with scikit-learn 1.9"
)
# a few iterations do not converge, and do not have to
pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")


class Space:
    """An array namespace and a device of it."""

    def __init__(self, name):
        self.name = name
        if name == "torch":
            self.xp, self.device = pytest.importorskip("torch"), "cpu"
        else:
            self.xp = pytest.importorskip("array_api_strict")
            self.device = self.xp.Device(name.partition(":")[2] or "CPU_DEVICE")

    def __call__(self, values):
        return self.xp.asarray(values, device=self.device)

    def holds(self, array, dtype):
        """Whether an array of a dtype is here."""
        example = self(np.zeros(1, dtype))
        return (type(array), array.dtype, array.device) == (
            type(example),
            example.dtype,
            example.device,
        )


@pytest.fixture(params=SPACES)
def space(request):
    space = Space(request.param)
    with config_context(array_api_dispatch=True):
        yield space


@pytest.fixture
def torch_space():
    space = Space("torch")
    with config_context(array_api_dispatch=True):
        yield space


def problem(n_classes=3, dtype=np.float64, n_samples=120):
    X, y = make_classification(
        n_samples, 6, n_informative=4, n_classes=n_classes, shift=2.0, random_state=0
    )
    return X.astype(dtype), y


def classifier(hidden_units=7, *, n_init=1, alpha=1.0, **options):
    return TwoLayerMLPClassifier(
        hidden_units, n_init=n_init, alpha=alpha, random_state=0, **options
    )


def namespace_and_device(space, values):
    xp, _, device = _array_api.get_namespace_and_device(space(values))
    return xp, device


def assert_same_network(model, reference, tolerance):
    pairs = zip(
        [*model.coefs_, *model.intercepts_],
        [*reference.coefs_, *reference.intercepts_],
        strict=True,
    )
    for ours, theirs in pairs:
        assert_allclose(to_host(ours), theirs, rtol=0, atol=tolerance)
    assert_allclose(model.loss_curve_, reference.loss_curve_, rtol=tolerance)
    assert (model.n_iter_, model.best_iter_) == (reference.n_iter_, reference.best_iter_)


@pytest.mark.skipif(ON or not COMPLETE, reason="this process has it, or it would skip all")
def test_with_array_api_on():
    pytest.importorskip("array_api_strict")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", __file__]
    if (ROOT / "docs").is_dir():  # not part of the sdist
        command += [ROOT / "tests" / "test_docs.py", "-k", "array_api or gpu"]
    done = subprocess.run(
        command,
        env={**os.environ, "SCIPY_ARRAY_API": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


@pytest.mark.skipif(ON, reason="needs no such process")
def test_the_benchmark_runs_on_any_device(tmp_path):
    pytest.importorskip("torch")
    script, results = ROOT / "benchmarks" / "gpu.py", tmp_path / "results.json"
    if not script.is_file():
        pytest.skip("not part of the sdist")
    command = [sys.executable, script, "--device", "cpu", "--small", "--rounds", "1"]
    done = subprocess.run(
        [*command, "--json", results], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(results.read_text())["results"]
    assert [row["name"] for row in rows] == ["objective", "epoch", "fit"]
    for row in rows:
        assert row["ratio"] == row["ours"] / row["reference"]
        assert f"| {row['name']} | {row['ours']:.4f} |" in done.stdout


def array_api_checks():
    if not (ON and COMPLETE):
        return
    for options in ({"n_init": "auto"}, {"solver": "adam", "batch_size": 7, "max_iter": 3}):
        for model, check in estimator_checks_generator(classifier(**options)):
            name = check.func.__name__
            if "array_api" in name:
                details = [str(value) for value in check.keywords.values()]
                yield pytest.param(model, check, id="-".join([name, *options, *details]))


@needs_array_api
@pytest.mark.parametrize(("model", "check"), list(array_api_checks()))
def test_estimator_check(model, check):
    try:
        check(model)
    except unittest.SkipTest as reason:
        pytest.skip(str(reason))


@needs_array_api
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("options", FULL_BATCH, ids=lambda options: options["solver"])
def test_full_batch_solvers_give_the_result_of_numpy(space, options, n_classes):
    if space.name == "strict:no_float64":
        pytest.skip("it has no float64")
    X, y = problem(n_classes)
    weights = np.linspace(0.5, 1.5, len(y))
    reference = classifier(**options).fit(X, y, weights)
    model = classifier(**options).fit(space(X), space(y), space(weights))
    assert_same_network(model, reference, 1e-9)
    for method in METHODS:
        result, expected = getattr(model, method)(space(X)), getattr(reference, method)(X)
        assert_allclose(to_host(result), expected, rtol=0, atol=1e-9)


@needs_array_api
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("options", MINIBATCH, ids=lambda options: options["solver"])
def test_minibatch_solvers_give_the_result_of_numpy(space, options, n_classes, dtype):
    if space.name == "strict:no_float64" and dtype is np.float64:
        pytest.skip("it has no float64")
    X, y = problem(n_classes, dtype)
    weights = np.linspace(0.5, 1.5, len(y)).astype(dtype)
    reference = classifier(**options).fit(X, y, weights)
    model = classifier(**options).fit(space(X), space(y), space(weights))
    # steps are in single precision in every namespace, and array-api-strict computes by NumPy
    assert_same_network(model, reference, 0 if space.name == "strict:device2" else 1e-5)


@needs_array_api
@pytest.mark.parametrize("options", [FULL_BATCH[0], MINIBATCH[0]], ids=lambda o: o["solver"])
def test_alpha_is_the_one_that_numpy_chooses(space, options):
    X, y = problem(dtype=np.float32)
    weights = np.linspace(0.5, 1.5, len(y)).astype(np.float32)
    reference = classifier(alpha="auto", **options).fit(X, y, weights)
    model = classifier(alpha="auto", **options).fit(space(X), space(y), space(weights))
    assert model.alpha_ == reference.alpha_
    assert_allclose(to_host(model.alphas_), reference.alphas_, rtol=1e-6)
    assert_allclose(to_host(model.alpha_scores_), reference.alpha_scores_, rtol=1e-6)
    assert space.holds(model.predict_proba(space(X)), np.float32)
    away = _array_api.move_estimator_to(reference, *namespace_and_device(space, X))
    for moved in (away, model):
        for name in ("feature_importances_", "alphas_", "alpha_scores_"):
            assert_allclose(to_host(getattr(moved, name)), getattr(reference, name), rtol=1e-3)
            assert type(getattr(moved, name)) is type(space(X))


@needs_array_api
@pytest.mark.parametrize(
    "activation", ["identity", "logistic", "tanh", "relu", "leaky_relu", "gelu", "silu"]
)
def test_every_activation(torch_space, activation):
    X, y = problem()
    options = {"activation": activation, "solver": "lbfgs", "max_iter": 5}
    reference = classifier(**options).fit(X, y)
    model = classifier(**options).fit(torch_space(X), torch_space(y))
    assert_same_network(model, reference, 1e-9)
    gradient = to_host(model.input_gradient(torch_space(X)))
    assert_allclose(gradient, reference.input_gradient(X), rtol=0, atol=1e-9)


@needs_array_api
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("options", [FULL_BATCH[0], MINIBATCH[0]], ids=lambda o: o["solver"])
def test_everything_follows_X(space, options, n_classes, dtype):
    if space.name == "strict:no_float64" and dtype is np.float64:
        pytest.skip("it has no float64")
    X, y = problem(n_classes, dtype)
    model = classifier(early_stopping=True, class_weight="balanced", **options)
    X_here = space(X)
    model.fit(X_here, space(y))
    for array in (*model.coefs_, *model.intercepts_):
        assert space.holds(array, dtype)
    for method in (*METHODS, "input_gradient"):
        assert space.holds(getattr(model, method)(X_here), dtype), method
    assert space.holds(model.classes_, y.dtype)
    assert space.holds(model.predict(X_here), y.dtype)
    assert_array_equal(to_host(X_here), X)
    if space.name != "strict:no_float64":  # where scikit-learn has no accuracy_score
        assert isinstance(model.score(X_here, space(y)), float)


@needs_array_api
def test_float32_only_device_takes_what_it_can_hold(torch_space):
    strict = Space("strict:no_float64")
    X, y = problem(dtype=np.float32)
    X = (X * 4).astype(np.int32)
    model = classifier(**FULL_BATCH[0]).fit(strict(X), strict(y))
    assert strict.holds(model.predict_proba(strict(X)), np.float32)
    # while a device that has float64 uses it for integers, as NumPy does
    model = classifier(**FULL_BATCH[0]).fit(torch_space(X), torch_space(y))
    assert torch_space.holds(model.predict_proba(torch_space(X)), np.float64)


@needs_array_api
def test_targets_and_weights_of_another_namespace(space):
    X, y = problem(dtype=np.float32)
    weights = np.linspace(0.5, 1.5, len(y)).astype(np.float32)
    there = Space("torch" if "strict" in space.name else "strict:device1")
    expected = classifier(**MINIBATCH[0]).fit(space(X), space(y), space(weights))
    for other in (there, np.asarray, np.ndarray.tolist):
        model = classifier(**MINIBATCH[0]).fit(space(X), other(y), other(weights))
        for ours, theirs in zip(model.coefs_, expected.coefs_, strict=True):
            assert_array_equal(to_host(ours), to_host(theirs))
        assert space.holds(model.predict(space(X)), y.dtype)


@needs_array_api
def test_validation_data_of_another_namespace(space):
    X, y = problem(dtype=np.float32)
    options = {"X_val": X[60:], "y_val": y[60:]}
    reference = classifier(**MINIBATCH[0]).fit(X[:60], y[:60], **options)
    for here in (space, np.asarray):
        options = {"X_val": here(X[60:]), "y_val": here(y[60:])}
        model = classifier(**MINIBATCH[0]).fit(space(X[:60]), space(y[:60]), **options)
        curve = model.validation_loss_curve_
        assert_allclose(curve, reference.validation_loss_curve_, rtol=1e-5)


@needs_array_api
def test_labels_that_only_numpy_has(space):
    X, y = problem(dtype=np.float32)
    labels = np.array(["ant", "bee", "cat"])[y]
    expected = classifier(**FULL_BATCH[0]).fit(space(X), space(y)).predict(space(X))
    model = classifier(**FULL_BATCH[0]).fit(space(X), labels)
    predicted = model.predict(space(X))
    assert_array_equal(predicted, np.array(["ant", "bee", "cat"])[to_host(expected)])
    assert model.score(space(X), labels) == np.mean(predicted == labels)


@needs_array_api
def test_multilabel(space):
    X, y = problem(dtype=np.float32)
    Y = np.stack([y > 0, y > 1], axis=1).astype(np.int64)
    reference = classifier(**FULL_BATCH[0]).fit(X, Y)
    model = classifier(**FULL_BATCH[0]).fit(space(X), space(Y))
    assert space.holds(model.predict(space(X)), np.int64)
    assert_array_equal(to_host(model.predict(space(X))), reference.predict(X))
    probability = to_host(model.predict_proba(space(X)))
    assert_allclose(probability, reference.predict_proba(X), rtol=0, atol=1e-3)


@needs_array_api
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_partial_fit_and_warm_start(space, solver):
    X, y = problem(dtype=np.float32)
    reference = classifier(solver=solver, batch_size=16)
    model = copy.deepcopy(reference)
    for rows in (slice(0, 40), slice(40, 80), slice(80, 120)):
        reference.partial_fit(X[rows], y[rows], classes=[0, 1, 2])
        model.partial_fit(space(X[rows]), space(y[rows]), classes=space(np.arange(3)))
        assert space.holds(model.coefs_[0], np.float32)
    assert_same_network(model, reference, 1e-5)
    for fitted, here in ((reference, np.asarray), (model, space)):
        fitted.set_params(warm_start=True, max_iter=3).fit(here(X), here(y))
    assert_same_network(model, reference, 1e-5)


@needs_array_api
def test_other_namespace_than_in_fit(space):
    X, y = problem(dtype=np.float32)
    here, numpy = classifier(**FULL_BATCH[0]), classifier(**FULL_BATCH[0])
    here.fit(space(X), space(y))
    numpy.fit(X, y)
    message = r"TwoLayerMLPClassifier\.{}\(\) must use the same namespace"
    for method in (*METHODS, "predict", "input_gradient"):
        with pytest.raises(ValueError, match=message.format(method)):
            getattr(here, method)(X)
        with pytest.raises(ValueError, match=message.format(method)):
            getattr(numpy, method)(space(X))
    with (
        config_context(array_api_dispatch=False),
        pytest.raises(ValueError, match=r"predict needs such arrays and sklearn\.config_"),
    ):
        here.predict(X)


@needs_array_api
def test_other_device_than_in_fit():
    X, y = problem()
    here, there = Space("strict"), Space("strict:device1")
    with config_context(array_api_dispatch=True):
        model = classifier(**FULL_BATCH[0]).fit(here(X), here(y))
        with pytest.raises(ValueError, match="Devices used during fit"):
            model.predict(there(X))


@needs_array_api
def test_sparse_data_stay_with_numpy(space):
    X, y = problem()
    with pytest.raises(ValueError, match="Only the NumPy namespace"):
        classifier(**FULL_BATCH[0]).fit(space(X.astype(np.float32)), space(y)).predict(
            sparse.csr_matrix(X)
        )
    model = classifier(**FULL_BATCH[0]).fit(sparse.csr_matrix(X), space(y))
    assert isinstance(model.coefs_[0], np.ndarray)


@needs_array_api
@pytest.mark.parametrize("labels", [np.arange(3), np.array(["ant", "bee", "cat"])])
def test_move_to_another_device_and_go_on(space, labels):
    X, y = problem(dtype=np.float32)
    y = labels[y]
    to_y = space if y.dtype.kind == "i" else np.asarray
    home = classifier(solver="adam", batch_size=30).partial_fit(X, y, classes=labels)
    before = pickle.dumps(home)
    away = _array_api.move_estimator_to(home, *namespace_and_device(space, X))
    assert space.holds(away.coefs_[0], np.float32)
    assert_allclose(to_host(away.transform(space(X))), home.transform(X), rtol=0, atol=1e-5)
    assert_array_equal(to_host(away.predict(space(X))), home.predict(X))
    away.partial_fit(space(X), to_y(y))
    assert pickle.dumps(home) == before  # it was a copy that moved
    back = _array_api.move_estimator_to(away, np, "cpu")
    home.partial_fit(X, y)
    assert_same_network(back, home, 1e-5)
    assert_array_equal(back.predict(X), home.predict(X))


@needs_array_api
def test_an_unfitted_estimator_may_be_moved(torch_space):
    moved = _array_api.move_estimator_to(classifier(5), torch_space.xp, "cpu")
    assert moved.get_params() == classifier(5).get_params()


@needs_array_api
def test_pickle(space):
    X, y = problem(dtype=np.float32)
    model = classifier(**FULL_BATCH[0]).fit(space(X), space(y))
    stored = pickle.dumps(model)
    with config_context(array_api_dispatch=False):
        loaded = pickle.loads(stored)
    assert space.holds(loaded.coefs_[0], np.float32)
    assert_array_equal(to_host(loaded.predict(space(X))), to_host(model.predict(space(X))))
    # not more than the parameters: no buffer is stored twice
    numpy = _array_api.move_estimator_to(model, np, "cpu")
    assert len(stored) < len(pickle.dumps(numpy)) + 2000


@needs_array_api
def test_a_pickled_device_array_holds_its_own_memory(torch_space):
    X, y = problem(dtype=np.float32)
    model = classifier(300, solver="adam", batch_size=60, max_iter=1)
    model.fit(torch_space(X), torch_space(y))
    assert len(pickle.dumps(model)) < 4 * 300 * (6 + 1 + 3) + 5000


@needs_array_api
def test_load_on_a_chosen_device(torch_space):
    torch = torch_space.xp
    X, y = problem(dtype=np.float32)
    model = classifier(**FULL_BATCH[0]).fit(torch_space(X), torch_space(y))
    file = io.BytesIO()
    torch.save(model, file)
    file.seek(0)
    loaded = torch.load(file, map_location="cpu", weights_only=False)
    assert torch.equal(loaded.predict_proba(torch_space(X)), model.predict_proba(torch_space(X)))


@needs_array_api
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning:array_api_strict")  # the scaler's
def test_pipeline_and_search(space):
    if space.name == "strict:no_float64":
        pytest.skip("where scikit-learn has no accuracy_score")
    X, y = problem(dtype=np.float32)
    pipeline = make_pipeline(StandardScaler(), classifier(**FULL_BATCH[0]))
    grid = {"twolayermlpclassifier__alpha": [0.1, 100.0]}
    found = {}
    for name, here in (("numpy", np.asarray), ("here", space)):
        search = GridSearchCV(pipeline, grid, cv=3, error_score="raise").fit(here(X), here(y))
        found[name] = search.cv_results_["mean_test_score"]
    assert search.best_params_ == {"twolayermlpclassifier__alpha": 0.1}
    assert_allclose(found["here"], found["numpy"], atol=0.03)  # a row may fall on the other side
    assert space.holds(search.predict_proba(space(X)), np.float32)
    search = GridSearchCV(pipeline, grid, cv=3, scoring="neg_log_loss", error_score="raise")
    assert search.fit(space(X), space(y)).best_score_ < 0


@needs_array_api
def test_cross_validated_probabilities(space):
    X, y = problem(dtype=np.float32)
    options = {"cv": 3, "method": "predict_proba"}
    result = cross_val_predict(classifier(**FULL_BATCH[0]), space(X), space(y), **options)
    assert space.holds(result, np.float32)


@needs_array_api
def test_read_only_arrays_beside_a_tensor(torch_space):
    X, y = problem(dtype=np.float32)
    weights = np.linspace(0.5, 1.5, len(y)).astype(np.float32)
    weights.flags.writeable = y.flags.writeable = False
    model = classifier(**FULL_BATCH[0]).fit(torch_space(X), y, weights)
    model.classes_ = np.array(["ant", "bee", "cat"])
    model.predict(torch_space(X))


def operations_of_a_fit(space, batch_size):
    """How often each operation ran, and how often an array left the device or came to it."""
    import collections

    from torch.utils._python_dispatch import TorchDispatchMode

    class Counter(TorchDispatchMode):
        def __init__(self):
            super().__init__()
            self.counts = collections.Counter()

        def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
            self.counts[str(operation)] += 1
            return operation(*args, **(kwargs or {}))

    X, y = problem(dtype=np.float32)
    counter, transfers = Counter(), collections.Counter()
    with pytest.MonkeyPatch.context() as patch, counter:
        for name in ("cpu", "numpy", "tolist", "__array__", "to"):
            original = getattr(space.xp.Tensor, name)

            def counted(self, *args, original=original, name=name, **kwargs):
                transfers[name] += 1
                return original(self, *args, **kwargs)

            patch.setattr(space.xp.Tensor, name, counted)
        original_asarray = space.xp.asarray

        def asarray(*args, **kwargs):
            transfers["asarray"] += 1
            return original_asarray(*args, **kwargs)

        patch.setattr(space.xp, "asarray", asarray)
        model = classifier(solver="adam", batch_size=batch_size, max_iter=2, activation="tanh")
        model.fit(space(X), space(y), X_val=space(X), y_val=space(y))
    return counter.counts, transfers


@needs_array_api
def test_a_step_stays_on_the_device(torch_space):
    few, few_transfers = operations_of_a_fit(torch_space, 60)
    many, many_transfers = operations_of_a_fit(torch_space, 10)
    # two epochs of 2 and of 12 steps, with one root each
    assert (few["aten.sqrt.default"], many["aten.sqrt.default"]) == (2 * 2, 2 * 12)
    # reading a number or an array back waits for everything before it
    for waits in ("aten._local_scalar_dense.default", "aten.nonzero.default"):
        assert many[waits] == few[waits]
    assert many_transfers == few_transfers
    assert few_transfers["cpu"] > 0  # the counter counts


@needs_array_api
def test_blocks_on_a_device_are_sized_for_it(torch_space):
    X = torch_space(np.zeros((1, 10), np.float32))
    for widest in (10, 1000, 5000):
        assert gradient_rows(X, widest) * widest * 8 <= DEVICE_BYTES
        assert gradient_rows(X, widest) * widest * 8 > 0.99 * DEVICE_BYTES
    wide = torch_space(np.zeros((1, 2000), np.float32))
    assert gradient_rows(wide, 100) * 2000 * 8 <= DEVICE_BYTES
    assert gradient_rows(X, 100) > 100 * gradient_rows(np.zeros((1, 10)), 100)
