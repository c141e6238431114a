"""What is stored, what is loaded, and what is refused."""

import contextlib
import copy
import pickle
from pathlib import Path

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.exceptions import InconsistentVersionWarning as SklearnVersionWarning
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sk_mlp
from sk_mlp import (
    SKOPS_TRUSTED_TYPES,
    InconsistentVersionWarning,
    TwoLayerMLPClassifier,
    TwoLayerMLPClassifierCV,
)

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.npz"))


def fitted(**options):
    X, y = load_iris(return_X_y=True)
    return TwoLayerMLPClassifier(5, random_state=0, **options).fit(X, y), X, y


def n_bytes(arrays):
    return sum(array.nbytes for array in arrays)


def test_pickle_predicts_and_goes_on_the_same():
    model, X, y = fitted(solver="adam")
    model.partial_fit(X, y)
    again = pickle.loads(pickle.dumps(model))
    assert_array_equal(again.predict_proba(X), model.predict_proba(X))
    assert "_sk_mlp_version" not in vars(again)
    assert vars(again).keys() == vars(model).keys()
    model.partial_fit(X, y)
    again.partial_fit(X, y)
    assert_array_equal(again.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("solver", ["lbfgs", "adam", "sgd"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pickle_is_not_more_than_the_parameters_and_a_small_state(solver, dtype):
    X, y = load_breast_cancer(return_X_y=True)
    X = np.tile(X.astype(dtype), (1, 10))
    model = TwoLayerMLPClassifier(200, solver=solver, random_state=0, n_init=1).fit(X, y)
    parameters = n_bytes(model.coefs_ + model.intercepts_)
    moments = 8 * 8 * X.shape[1]  # seven statistics of each feature, and its importance
    curve = 9 * len(model.loss_curve_)
    assert len(pickle.dumps(model)) < parameters + moments + curve + 3000


def test_pickle_after_partial_fit_holds_the_state_of_the_solver_in_addition():
    X, y = load_breast_cancer(return_X_y=True)
    X = np.tile(X, (1, 10))
    model = TwoLayerMLPClassifier(200, solver="adam", random_state=0)
    model.partial_fit(X, y, classes=[0, 1])
    parameters = n_bytes(model.coefs_ + model.intercepts_)
    moments = 8 * 8 * X.shape[1]
    # two vectors of Adam in single precision take as much as the parameters
    shuffling = len(pickle.dumps(np.random.RandomState(0)))
    assert len(pickle.dumps(model)) < 2 * parameters + moments + shuffling + 3000


def test_memory_mapped_and_compressed_files(tmp_path):
    model, X, _ = fitted()
    joblib.dump(model, tmp_path / "plain.joblib")
    mapped = joblib.load(tmp_path / "plain.joblib", mmap_mode="r")
    assert isinstance(mapped.coefs_[0], np.memmap)
    assert_array_equal(mapped.predict_proba(X), model.predict_proba(X))
    joblib.dump(model, tmp_path / "small.joblib", compress=3)
    assert_array_equal(
        joblib.load(tmp_path / "small.joblib").predict_proba(X), model.predict_proba(X)
    )


@pytest.mark.parametrize("copied", [clone, copy.copy, copy.deepcopy])
def test_copies_raise_no_warning(copied):
    model, X, y = fitted()
    again = copied(model)
    if copied is clone:
        again.fit(X, y)
    assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_copy_in_the_middle_of_a_refit_on_other_data():
    """A callback may copy an estimator whose attributes belong to two fits."""
    callback_api = pytest.importorskip("sklearn.callback", reason="needs scikit-learn 1.9")
    model, _, _ = fitted()
    X, y = load_breast_cancer(return_X_y=True)
    monitor = callback_api.ScoringMonitor(scoring="accuracy")
    model.set_callbacks(monitor).fit(X, y)
    assert monitor.get_logs().data[-1]["accuracy"] > 0.97


@pytest.mark.parametrize("version", ["0.0.1", None])
def test_another_version_gives_a_warning(version):
    model, X, _ = fitted()
    state = model.__getstate__()
    assert state.pop("_sk_mlp_version") == sk_mlp.__version__
    if version is not None:
        state["_sk_mlp_version"] = version
    again = TwoLayerMLPClassifier.__new__(TwoLayerMLPClassifier)
    expected = f"saved by sk_mlp {version or 'of unknown version'} .* sk_mlp {sk_mlp.__version__}"
    with pytest.warns(InconsistentVersionWarning, match=expected) as caught:
        again.__setstate__(state)
    assert issubclass(caught[0].category, SklearnVersionWarning)
    assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def spoil(name, value):
    def change(state):
        state[name] = value(state[name]) if callable(value) else value

    return change


def set_nan(arrays):
    spoiled = [array.copy() for array in arrays]
    spoiled[0].flat[0] = np.nan
    return spoiled


def spoil_stream(name, value):
    def change(state):
        state["_stream"] = {**state["_stream"], name: value(state["_stream"][name])}

    return change


def one_class(state):
    state["coefs_"] = [state["coefs_"][0], state["coefs_"][1][:, :1]]
    state["intercepts_"] = [state["intercepts_"][0], state["intercepts_"][1][:1]]
    state |= {"classes_": state["classes_"][:1], "out_activation_": "logistic"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (spoil("coefs_", set_nan), r"coefs_\[0\] has values that are not finite"),
        (spoil("intercepts_", set_nan), r"intercepts_\[0\] has values that are not finite"),
        (spoil("coefs_", lambda c: [c[0][:-1], c[1]]), r"coefs_\[0\] has shape \(3, 5\)"),
        (spoil("coefs_", lambda c: [c[0], c[1].T]), r"coefs_\[1\] has shape"),
        (spoil("coefs_", lambda c: c[:1]), "not enough values"),
        (spoil("coefs_", lambda c: [w.tolist() for w in c]), "'list' object"),
        (spoil("intercepts_", lambda b: [b[0][:2], b[1]]), r"intercepts_\[0\] has shape \(2,\)"),
        (spoil("intercepts_", lambda b: [b[0], b[1][:2]]), r"intercepts_\[1\] has shape \(2,\)"),
        (spoil("n_features_in_", 7), r"coefs_\[0\] has shape \(4, 5\), expected \(7, 5\)"),
        (spoil("classes_", lambda c: c[:2]), "classes_ has 2 entries for 3 output units"),
        (one_class, "classes_ has 1 entries for 1 output units"),
        (spoil("activation", "sine"), "activation is 'sine'"),
        (spoil("out_activation_", "probit"), "out_activation_ is 'probit'"),
        (lambda state: state.pop("intercepts_"), "intercepts_"),
        (
            spoil_stream("state", lambda s: s | {"m": s["m"][:-1]}),
            "the state 'm' of the solver has",
        ),
        (
            spoil_stream("state", lambda s: s | {"v": s["v"] + np.inf}),
            "the state 'v' of the solver",
        ),
        (spoil_stream("moments", lambda m: m | {"variance": -m["variance"]}), "is negative"),
        (spoil("coefs_", lambda c: [c[0].astype(object), c[1]]), r"coefs_\[0\] has dtype object"),
        (spoil("coefs_", lambda c: [c[0].astype(str), c[1]]), r"coefs_\[0\] has dtype <U"),
        (spoil("coefs_", lambda c: [c[0].astype(complex), c[1]]), r"coefs_\[0\] has dtype complex"),
        (spoil("classes_", lambda c: c[::-1]), "classes_ must be sorted"),
        (spoil("classes_", lambda c: c * 0), "classes_ must be sorted and without rep"),
        (
            spoil("classes_", lambda c: np.array([0, 1, np.nan])),
            "classes_ must be a vector without NaN",
        ),
        (
            spoil_stream("moments", lambda m: m | {"mean": m["mean"][:-1]}),
            "the mean of the features",
        ),
        (spoil_stream("moments", lambda m: m | {"weight": np.nan}), "the weight of the rows"),
        (
            spoil_stream("moments", lambda m: m | {"variance": m["variance"][:1]}),
            "the variance of the features",
        ),
    ],
)
def test_a_state_that_is_not_valid_is_refused(change, message):
    model, X, y = fitted(solver="adam")
    model.partial_fit(X, y)
    state = model.__getstate__()
    change(state)
    again = TwoLayerMLPClassifier.__new__(TwoLayerMLPClassifier)
    with pytest.raises(ValueError, match=f"stored state of this TwoLayerMLP.*{message}"):
        again.__setstate__(state)


def test_a_file_of_another_release_gets_the_options_of_this_one():
    model, X, _ = fitted()
    state = model.__getstate__() | {"_sk_mlp_version": "0.0.9", "dropout": 0.5}
    del state["verbose"]
    again = TwoLayerMLPClassifier.__new__(TwoLayerMLPClassifier)
    with (
        pytest.warns(InconsistentVersionWarning),
        pytest.warns(UserWarning, match="no option dropout in this release"),
    ):
        again.__setstate__(state)
    assert again.verbose == 0
    assert not hasattr(again, "dropout")
    assert clone(again).get_params() == model.get_params()
    assert_array_equal(again.predict(X), model.predict(X))


def test_sgd_without_momentum_has_no_state_and_loads():
    X, y = load_iris(return_X_y=True)
    model = TwoLayerMLPClassifier(3, solver="sgd", momentum=0, random_state=0)
    model.partial_fit(X, y, classes=[0, 1, 2])
    again = pickle.loads(pickle.dumps(model)).partial_fit(X, y)
    assert_array_equal(again.predict_proba(X), model.partial_fit(X, y).predict_proba(X))


def states():
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    options = {"hidden_units": 5, "random_state": 0}
    yield "unfitted", TwoLayerMLPClassifier(), None
    yield "lbfgs", TwoLayerMLPClassifier(solver="lbfgs", **options).fit(X, names), X
    yield "validation", TwoLayerMLPClassifier(early_stopping=True, **options).fit(X, y), X
    yield "bool", TwoLayerMLPClassifier(**options).fit(X, y == 1), X
    yield "object", TwoLayerMLPClassifier(**options).fit(X, names.astype(object)), X
    yield "sparse", TwoLayerMLPClassifier(**options).fit(sparse.csr_array(X), y), X
    frame, target = load_iris(return_X_y=True, as_frame=True)
    yield "frame", TwoLayerMLPClassifier(**options).fit(frame, target), frame
    yield "weights", TwoLayerMLPClassifier(**options).fit(X, y, np.arange(150.0)), X
    stream = TwoLayerMLPClassifier(**options).partial_fit(X, y, classes=[0, 1, 2])
    yield "stream", stream, X
    stream = TwoLayerMLPClassifier(**options)
    yield "sparse stream", stream.partial_fit(sparse.csr_array(X), y, classes=[0, 1, 2]), X
    search = TwoLayerMLPClassifierCV(3, alphas=[1.0], cv=2, random_state=0)
    yield "search", search.fit(X, names), X
    generator = TwoLayerMLPClassifier(5, random_state=np.random.RandomState(0)).fit(X, y)
    yield "RandomState", generator, X


@pytest.mark.parametrize(("name", "model", "X"), [pytest.param(*s, id=s[0]) for s in states()])
def test_skops_needs_trust_in_the_class_alone(name, model, X):
    io = pytest.importorskip("skops.io")
    content = io.dumps(model)
    assert io.get_untrusted_types(data=content) == [f"sk_mlp.{type(model).__name__}"]
    again = io.loads(content, trusted=SKOPS_TRUSTED_TYPES)
    assert vars(again).keys() == vars(model).keys()
    if X is not None:
        assert_array_equal(again.predict_proba(X), model.predict_proba(X))
        assert_array_equal(again.predict(X), model.predict(X))
    if "stream" in name:
        X, y = sparse.csr_array(X) if "sparse" in name else X, load_iris().target
        again.partial_fit(X, y)
        assert_array_equal(again.predict_proba(X), model.partial_fit(X, y).predict_proba(X))


def test_skops_of_a_pipeline():
    io = pytest.importorskip("skops.io")
    X, y = load_iris(return_X_y=True)
    model = make_pipeline(StandardScaler(), TwoLayerMLPClassifier(5, random_state=0)).fit(X, y)
    again = io.loads(io.dumps(model), trusted=SKOPS_TRUSTED_TYPES)
    assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_skops_of_callbacks_needs_more_trust_until_they_are_removed():
    io = pytest.importorskip("skops.io")
    callback_api = pytest.importorskip("sklearn.callback", reason="needs scikit-learn 1.9")
    model, _, _ = fitted()
    model.set_callbacks(callback_api.ScoringMonitor(scoring="accuracy"))
    assert len(io.get_untrusted_types(data=io.dumps(model))) > 1
    model.set_callbacks()
    assert io.get_untrusted_types(data=io.dumps(model)) == ["sk_mlp.TwoLayerMLPClassifier"]


def test_there_are_golden_files_of_this_release():
    assert f"sk_mlp-{sk_mlp.__version__}" in {path.stem for path in GOLDEN}


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
@pytest.mark.parametrize("suffix", [".pkl", ".skops"])
def test_golden_files_load_and_predict_the_same(path, suffix):
    file, expected = path.with_suffix(suffix), np.load(path)
    this_release = path.stem == f"sk_mlp-{sk_mlp.__version__}"
    with contextlib.nullcontext() if this_release else pytest.warns(InconsistentVersionWarning):
        if suffix == ".pkl":
            models = pickle.loads(file.read_bytes())
        else:
            io = pytest.importorskip("skops.io")
            models = io.load(file, trusted=SKOPS_TRUSTED_TYPES)
    assert {key.split(".")[0] for key in expected} == set(models)
    for name, model in models.items():
        X = expected[f"{name}.X"]
        tolerance = 1e-12 if X.dtype == np.float64 else 1e-5
        probability, hidden = expected[f"{name}.probability"], expected[f"{name}.hidden"]
        assert_allclose(model.predict_proba(X), probability, rtol=tolerance)
        assert_allclose(model.transform(X), hidden, rtol=tolerance, atol=tolerance)
        assert model.get_params() == clone(model).get_params()
    assert models["stream"].partial_fit(expected["stream.X"], np.arange(15) % 3).n_iter_ == 4


@pytest.mark.parametrize("solver", ["lbfgs", "adam", "sgd"])
def test_pickle_after_early_stopping_and_a_pass_is_small_too(solver):
    X, y = load_breast_cancer(return_X_y=True)
    X = np.tile(X, (1, 10))
    model = TwoLayerMLPClassifier(100, solver=solver, early_stopping=True, random_state=0)
    parameters = n_bytes(model.fit(X, y).coefs_ + model.intercepts_)
    assert len(pickle.dumps(model)) < 1.1 * parameters + 10_000
    if solver != "lbfgs":  # adam keeps two vectors in single precision
        model.partial_fit(X, y)
        assert len(pickle.dumps(model)) < 2.1 * parameters + 15_000
