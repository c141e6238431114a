"""The same network as MLPClassifier of scikit-learn and as ours."""

import pickle
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_digits, load_iris
from sklearn.neural_network import MLPClassifier, MLPRegressor

from sk_mlp import TwoLayerMLPClassifier, TwoLayerMLPClassifierCV

ACTIVATIONS = ["identity", "logistic", "tanh", "relu"]


def targets(kind):
    X, y = load_iris(return_X_y=True)
    if kind == "binary":
        return X, np.array(["no", "yes"])[(y == 1).astype(int)]
    if kind == "multilabel":
        return X, np.column_stack([y == 0, y >= 1, X[:, 0] > 6]).astype(int)
    return X, np.array(["setosa", "versicolor", "virginica"])[y]


def network(**options):
    return TwoLayerMLPClassifier(8, n_init=1, random_state=0, **options)


def assert_same(ours, theirs, X, atol):
    assert_array_equal(theirs.predict(X), ours.predict(X))
    assert_allclose(theirs.predict_proba(X), ours.predict_proba(X), rtol=0, atol=atol)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
def test_round_trip(kind, activation, dtype):
    X, y = targets(kind)
    X = X.astype(dtype)
    ours = network(activation=activation).fit(X, y)
    theirs = ours.to_mlpclassifier()
    atol = 1e-6 if dtype == np.float32 else 1e-12
    assert_same(ours, theirs, X, atol)
    assert theirs.score(X, y) == ours.score(X, y)
    assert theirs.coefs_[0].dtype == dtype
    back = TwoLayerMLPClassifier.from_mlpclassifier(theirs)
    assert_array_equal(back.decision_function(X), ours.decision_function(X))
    assert_array_equal(back.transform(X), ours.transform(X))
    assert_array_equal(pickle.loads(pickle.dumps(back)).predict(X), ours.predict(X))
    loaded = pickle.loads(pickle.dumps(theirs))
    assert_array_equal(loaded.predict(X), ours.predict(X))


@pytest.mark.parametrize("data", [load_breast_cancer, load_digits])
def test_from_a_fit_of_scikit_learn(data):
    X, y = data(return_X_y=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = MLPClassifier((12,), max_iter=20, random_state=0).fit(X, y)
    ours = TwoLayerMLPClassifier.from_mlpclassifier(theirs)
    assert_same(ours, theirs, X, 1e-12)
    assert ours.get_params()["hidden_units"] == 12
    clone(ours).set_params(alpha=1.0, max_iter=5)


def test_training_goes_on_there():
    X, y = targets("multiclass")
    theirs = network(solver="adam").fit(X, y).to_mlpclassifier()
    before = [W.copy() for W in theirs.coefs_]
    theirs.partial_fit(X, y)
    assert not np.array_equal(before[0], theirs.coefs_[0])
    assert theirs.get_params()["hidden_layer_sizes"] == (8,)
    assert repr(clone(theirs)).startswith("MLPClassifier(")


def test_names_of_features_and_the_search():
    X, y = load_iris(return_X_y=True, as_frame=True)
    search = TwoLayerMLPClassifierCV(4, alphas=[1.0], cv=2, random_state=0).fit(X, y)
    theirs = search.to_mlpclassifier()
    assert_array_equal(theirs.feature_names_in_, X.columns)
    assert_same(search, theirs, X, 1e-12)
    assert theirs.alpha == 1.0


def test_what_the_other_class_does_not_have():
    X, y = load_iris(return_X_y=True)
    with pytest.raises(ValueError, match="no activation 'gelu'"):
        network(activation="gelu").fit(X, y).to_mlpclassifier()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        deep = MLPClassifier((4, 3), max_iter=2, random_state=0).fit(X, y)
        regressor = MLPRegressor(hidden_layer_sizes=(4,), max_iter=2, random_state=0).fit(X, y)
    with pytest.raises(ValueError, match="this MLPClassifier has 2"):
        TwoLayerMLPClassifier.from_mlpclassifier(deep)
    with pytest.raises(TypeError, match="needs a fitted MLPClassifier; got MLPRegressor"):
        TwoLayerMLPClassifier.from_mlpclassifier(regressor)
    theirs = network().fit(X, y).to_mlpclassifier()
    with pytest.raises(TypeError, match=r"Use TwoLayerMLPClassifier\.from_mlpclassifier"):
        TwoLayerMLPClassifierCV.from_mlpclassifier(theirs)


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("container", [np.asarray, sparse.csr_array])
def test_training_goes_on_here(container, standardize):
    X, y = targets("multiclass")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = MLPClassifier((8,), max_iter=20, random_state=0).fit(X, y)
    ours = TwoLayerMLPClassifier.from_mlpclassifier(theirs).set_params(standardize=standardize)
    before = ours.predict_proba(X)
    ours = pickle.loads(pickle.dumps(ours))
    losses = [ours.partial_fit(container(X), y).loss_ for _ in range(30)]
    assert_allclose(theirs.predict_proba(X), before, rtol=0, atol=1e-12)
    assert losses[-1] < losses[0] < 1.5 * theirs.loss_
    assert ours._stream["moments"]["weight"] == 30 * len(X)
    lbfgs = TwoLayerMLPClassifier.from_mlpclassifier(theirs).set_params(solver="lbfgs")
    with pytest.raises(AttributeError, match="partial_fit"):
        lbfgs.partial_fit(X, y)
