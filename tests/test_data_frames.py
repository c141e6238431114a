"""Data frames and arrow arrays as data, labels and weights; frames as output."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal
from problems import assert_same_fit, fit
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_mlp import TwoLayerMLPClassifier, TwoLayerMLPClassifierCV


def make(hidden_units=4, **options):
    options = {"solver": "lbfgs", "n_init": 1, "tol": 1e-3, "random_state": 0, **options}
    return TwoLayerMLPClassifier(hidden_units, **options)


def frame_of(library):
    X, y = load_iris(return_X_y=True, as_frame=True)
    if library == "polars":
        return pl.DataFrame({name: X[name].to_numpy() for name in X}), pl.Series(y.to_numpy())
    return X, y


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_data_frames_give_what_arrays_give(library):
    X, y = frame_of(library)
    model = make().fit(X, y)
    plain = make().fit(X.to_numpy(), y.to_numpy())
    assert model.feature_names_in_.tolist() == list(X.columns)
    assert not hasattr(plain, "feature_names_in_")
    for method in ("predict", "predict_proba", "decision_function", "transform", "input_gradient"):
        assert_array_equal(getattr(model, method)(X), getattr(plain, method)(X.to_numpy()))
    assert model.score(X, y) == plain.score(X.to_numpy(), y.to_numpy())


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_labels_of_a_data_frame(library):
    X, y = frame_of(library)
    names = np.array(["setosa", "versicolor", "virginica"])[y.to_numpy()]
    series = pl.Series(names) if library == "polars" else pd.Series(names)
    model = make().fit(X, series)
    assert model.classes_.tolist() == ["setosa", "versicolor", "virginica"]
    assert (model.predict(X) == names).mean() > 0.95
    if library == "pandas":
        model = make().fit(X, series.astype("category"))
        assert model.classes_.tolist() == ["setosa", "versicolor", "virginica"]


def chunked(values):
    return pa.chunked_array([values[:50], values[50:]])


@pytest.mark.parametrize("arrow", [pa.array, chunked], ids=["array", "chunked"])
def test_pyarrow_arrays_as_labels_weights_and_groups(arrow):
    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    weights, groups = np.random.default_rng(0).integers(1, 3, len(y)), np.arange(len(y)) // 10
    validation = {"X_val": X, "y_val": arrow(names), "sample_weight_val": arrow(weights)}
    ours = make(early_stopping=True).fit(X, arrow(names), arrow(weights), **validation)
    validation = {"X_val": X, "y_val": names, "sample_weight_val": weights}
    expected = make(early_stopping=True).fit(X, names, weights, **validation)
    assert ours.validation_loss_curve_ == expected.validation_loss_curve_
    assert ours.classes_.tolist() == expected.classes_.tolist()
    assert ours.score(X, arrow(names)) == expected.score(X, names)
    assert_same_fit(make().fit(X, arrow(y), arrow(weights)), make().fit(X, y, weights))

    search = TwoLayerMLPClassifierCV(4, alphas=[1.0], cv=GroupKFold(2), random_state=0)
    scores = clone(search).fit(X, arrow(names), arrow(weights), groups=arrow(groups)).scores_
    assert_array_equal(scores, search.fit(X, names, weights, groups=groups).scores_)

    stream, plain = make(solver="adam"), make(solver="adam")
    for _ in range(2):  # the classes are named on the first call, and may be on others
        stream.partial_fit(X, arrow(names), classes=arrow(np.unique(names)))
        plain.partial_fit(X, names, classes=np.unique(names))
    assert_same_fit(stream, plain)


@pytest.mark.parametrize("estimator", [TwoLayerMLPClassifier, TwoLayerMLPClassifierCV])
@pytest.mark.parametrize(
    "weights", [pd.Series({0: 1.0, 1: 2.0}), np.array([1.0, 2.0]), pl.Series([1.0, 2.0])]
)
def test_class_weight_that_is_not_a_dict_is_an_error_that_says_so(estimator, weights):
    X, y = load_breast_cancer(return_X_y=True)
    with pytest.raises(ValueError, match=r"'class_weight' .* must be an instance of 'dict'"):
        estimator(class_weight=weights).fit(X, y)
    plain = estimator(2, max_iter=5, random_state=0)
    if estimator is TwoLayerMLPClassifierCV:  # sample weights count in the scores, too
        plain.alphas = [1.0]
    by_class = clone(plain).set_params(class_weight=dict(enumerate(weights)))
    assert_same_fit(fit(by_class, X, y), fit(plain, X, y, np.array([1.0, 2.0])[y]))


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_set_output(library):
    X, y = frame_of(library)
    model = make().set_output(transform=library)
    H = model.fit_transform(X, y)
    assert isinstance(H, {"pandas": pd.DataFrame, "polars": pl.DataFrame}[library])
    names = [f"twolayermlpclassifier{i}" for i in range(4)]
    assert list(H.columns) == names == model.get_feature_names_out().tolist()
    assert_array_equal(H.to_numpy(), make().fit(X, y).transform(X))
    if library == "pandas":
        assert H.index.equals(X.index)
    assert isinstance(model.predict_proba(X), np.ndarray)  # predictions stay arrays
    assert isinstance(model.set_output(transform="default").transform(X), np.ndarray)


def test_set_output_through_a_pipeline():
    X, y = frame_of("pandas")
    union = FeatureUnion([("net", make()), ("scaled", StandardScaler())])
    union.set_output(transform="pandas").fit(X, y)
    assert union.transform(X).columns[:4].tolist() == [
        f"net__twolayermlpclassifier{i}" for i in range(4)
    ]
    model = make_pipeline(make(), LogisticRegression()).fit(X, y)
    assert model.score(X, y) > 0.95
    assert model[:-1].get_feature_names_out().tolist()[0] == "twolayermlpclassifier0"


@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize(
    "method", ["predict", "predict_proba", "decision_function", "transform", "input_gradient"]
)
def test_columns_in_another_order_raise(library, method):
    X, y = frame_of(library)
    model = make().fit(X, y)
    columns = list(X.columns)
    with pytest.raises(ValueError, match="must be in the same order as they were in fit"):
        getattr(model, method)(X[columns[::-1]])
    renamed = (
        X.rename(columns={columns[0]: "x"}) if library == "pandas" else X.rename({columns[0]: "x"})
    )
    with pytest.raises(ValueError, match="Feature names unseen at fit time"):
        getattr(model, method)(renamed)
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        getattr(model, method)(X.to_numpy())


def test_columns_in_another_order_raise_in_partial_fit_and_for_validation_data():
    X, y = frame_of("pandas")
    model = make(solver="adam").partial_fit(X, y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match="must be in the same order"):
        model.partial_fit(X[X.columns[::-1]], y)
    with pytest.raises(ValueError, match="must be in the same order"):
        make().fit(X, y, X_val=X[X.columns[::-1]], y_val=y)
