"""The same network and predictions from the arrays of every namespace, device and float type."""

import copy
import unittest

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from problems import ACTIVATIONS, parameters
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import _array_api
from sklearn.utils.estimator_checks import estimator_checks_generator

from array_api.spaces import (
    COMPLETE,
    FULL_BATCH,
    METHODS,
    MINIBATCH,
    ON,
    Space,
    assert_same_network,
    classifier,
    few_iterations,
    namespace_and_device,
    needs_array_api,
    problem,
)
from sk_mlp._backend.compat import to_host

pytestmark = [needs_array_api, few_iterations]


def array_api_checks():
    if not (ON and COMPLETE):
        return
    for options in ({"n_init": "auto"}, {"solver": "adam", "batch_size": 7, "max_iter": 3}):
        for model, check in estimator_checks_generator(classifier(**options)):
            name = check.func.__name__
            if "array_api" in name:
                details = [str(value) for value in check.keywords.values()]
                yield pytest.param(model, check, id="-".join([name, *options, *details]))


@pytest.mark.parametrize(("model", "check"), list(array_api_checks()))
def test_estimator_check(model, check):
    try:
        check(model)
    except unittest.SkipTest as reason:
        pytest.skip(str(reason))


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


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_activation(torch_space, activation):
    X, y = problem()
    options = {"activation": activation, "solver": "lbfgs", "max_iter": 5}
    reference = classifier(**options).fit(X, y)
    model = classifier(**options).fit(torch_space(X), torch_space(y))
    assert_same_network(model, reference, 1e-9)
    gradient = to_host(model.input_gradient(torch_space(X)))
    assert_allclose(gradient, reference.input_gradient(X), rtol=0, atol=1e-9)


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
    for array in parameters(model):
        assert space.holds(array, dtype)
    for method in (*METHODS, "input_gradient"):
        assert space.holds(getattr(model, method)(X_here), dtype), method
    assert space.holds(model.classes_, y.dtype)
    assert space.holds(model.predict(X_here), y.dtype)
    assert_array_equal(to_host(X_here), X)
    if space.name != "strict:no_float64":  # where scikit-learn has no accuracy_score
        assert isinstance(model.score(X_here, space(y)), float)


def test_float32_only_device_takes_what_it_can_hold(torch_space):
    strict = Space("strict:no_float64")
    X, y = problem(dtype=np.float32)
    X = (X * 4).astype(np.int32)
    model = classifier(**FULL_BATCH[0]).fit(strict(X), strict(y))
    assert strict.holds(model.predict_proba(strict(X)), np.float32)
    # while a device that has float64 uses it for integers, as NumPy does
    model = classifier(**FULL_BATCH[0]).fit(torch_space(X), torch_space(y))
    assert torch_space.holds(model.predict_proba(torch_space(X)), np.float64)


def test_multilabel(space):
    X, y = problem(dtype=np.float32)
    Y = np.stack([y > 0, y > 1], axis=1).astype(np.int64)
    reference = classifier(**FULL_BATCH[0]).fit(X, Y)
    model = classifier(**FULL_BATCH[0]).fit(space(X), space(Y))
    assert space.holds(model.predict(space(X)), np.int64)
    assert_array_equal(to_host(model.predict(space(X))), reference.predict(X))
    probability = to_host(model.predict_proba(space(X)))
    assert_allclose(probability, reference.predict_proba(X), rtol=0, atol=1e-3)


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


def test_cross_validated_probabilities(space):
    X, y = problem(dtype=np.float32)
    options = {"cv": 3, "method": "predict_proba"}
    result = cross_val_predict(classifier(**FULL_BATCH[0]), space(X), space(y), **options)
    assert space.holds(result, np.float32)
