"""Data and options that cannot be used: errors that name the argument and its value."""

import numpy as np
import pytest
from problems import METHODS, data, fit, make

from sk_mlp import TwoLayerMLPClassifier


@pytest.mark.parametrize(("bad", "name"), [(np.nan, "NaN"), (np.inf, "infinity")])
def test_values_that_are_not_finite(solver, bad, name):
    X, y = data()
    model = fit(make(solver), X, y)
    X[3, 2] = bad
    for method in ("fit", *METHODS):
        arguments = (X, y) if method == "fit" else (X,)
        with pytest.raises(ValueError, match=f"Input X contains {name}"):
            getattr(model, method)(*arguments)


def test_one_class(solver):
    X, _ = data()
    with pytest.raises(ValueError, match="two classes, got the one class 4"):
        make(solver).fit(X, np.full(len(X), 4))


def test_labels_of_mixed_types(solver):
    with pytest.raises(ValueError, match="labels of one type, got int, str"):
        make(solver).fit(np.eye(4), np.array([1, "a", 1, "a"], dtype=object))


def test_validation_data_that_do_not_fit(solver):
    X, y = data()
    model = make(solver)
    with pytest.raises(ValueError, match=r"X_val.*has 5 features"):
        model.fit(X, y, X_val=X[:, :5], y_val=y)
    with pytest.raises(ValueError, match=r"y_val.*labels \[9\].*not in classes \[0, 1, 2\]"):
        model.fit(X, y, X_val=X, y_val=np.full(len(y), 9))
    with pytest.raises(ValueError, match=r"X_val.*inconsistent numbers of samples.*10"):
        model.fit(X, y, X_val=X[:10], y_val=y)
    with pytest.raises(ValueError, match="y_val is None"):
        model.fit(X, y, X_val=X)
    with pytest.raises(ValueError, match="X_val is None"):
        model.fit(X, y, y_val=y)
    with pytest.raises(ValueError, match="X_val is None"):
        model.fit(X, y, sample_weight_val=np.ones(len(y)))
    with pytest.raises(ValueError, match=r"sample_weight_val.*(?i:negative)"):
        model.fit(X, y, X_val=X, y_val=y, sample_weight_val=-np.ones(len(y)))


def test_warm_start_of_another_network(solver):
    X, y = data()
    model = fit(make(solver, warm_start=True), X, y)
    before = vars(model).copy()
    with pytest.raises(ValueError, match="hidden_units 5; got 7"):
        model.set_params(hidden_units=7).fit(X, y)
    model.set_params(hidden_units=5)
    with pytest.raises(ValueError, match="n_features 6; got 4"):
        model.fit(X[:, :4], y)
    with pytest.raises(ValueError, match=r"classes \[0, 1, 2\]; got \[0, 1\]"):
        model.fit(X, np.minimum(y, 1))
    assert vars(model) == before


def test_labels_that_are_no_classes_are_an_error_that_names_y():
    X, y = data(2)
    for labels in (y + 0.5, y * 1e20):
        with pytest.raises(ValueError, match=r"y is no classification target.*Unknown label type"):
            make().fit(X, labels)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hidden_units", 0),
        ("hidden_units", 2.5),
        ("activation", "sine"),
        ("solver", "newton"),
        ("alpha", -1.0),
        ("alpha", np.nan),
        ("standardize", "yes"),
        ("n_init", 0),
        ("class_weight", "even"),
        ("batch_size", 0),
        ("learning_rate", "fast"),
        ("learning_rate_init", 0.0),
        ("momentum", 1.0),
        ("beta_1", 1.0),
        ("beta_2", -0.1),
        ("max_iter", 0),
        ("tol", -1e-4),
        ("early_stopping", 1),
        ("validation_fraction", 0.0),
        ("validation_fraction", 1.0),
        ("n_iter_no_change", 0),
        ("warm_start", None),
        ("verbose", -1),
    ],
)
def test_a_wrong_parameter_is_named_with_its_value(name, value):
    X, y = data()
    with pytest.raises(ValueError, match=f"'{name}' parameter.*Got {value!r} instead"):
        TwoLayerMLPClassifier(**{name: value}).fit(X, y)
