"""At home in scikit-learn: data frames, sparse containers, tags, representation, routing."""

import inspect
import subprocess
import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from problems import assert_same_fit, fit
from scipy import sparse
from sklearn.base import clone, is_classifier
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, cross_val_score
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from sk_mlp import TwoLayerMLPClassifier, TwoLayerMLPClassifierCV

SPARSE = [
    getattr(sparse, f"{name}_{kind}")
    for name in ("csr", "csc", "coo", "lil", "dok", "bsr", "dia")
    for kind in ("matrix", "array")
]


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


@pytest.mark.parametrize("solver", ["lbfgs", "adam"])
def test_two_labels_are_not_two_classes(solver):
    X, y = load_iris(return_X_y=True)
    Y = np.column_stack([y == 0, y >= 1]).astype(int)
    Y[:20] = 1  # rows with both labels
    model = make(8, solver=solver, alpha=0.1, tol=1e-5).fit(X, Y)
    P = model.predict_proba(X)
    assert P.shape == (len(X), 2)
    assert model.predict(X).shape == Y.shape
    assert_array_equal(model.predict(X), P > 0.5)
    assert not np.allclose(P.sum(axis=1), 1.0)
    assert model.score(X, Y) == np.mean((model.predict(X) == Y).all(axis=1)) > 0.85
    assert_allclose(P.mean(axis=0), Y.mean(axis=0), atol=0.02)
    assert make(solver="adam").partial_fit(X, Y).predict_proba(X).shape == (len(X), 2)
    search = TwoLayerMLPClassifierCV(4, alphas=[1.0], cv=2, random_state=0).fit(X, Y)
    assert search.predict_proba(X).shape == (len(X), 2)


@pytest.mark.parametrize("estimator", [TwoLayerMLPClassifier, TwoLayerMLPClassifierCV])
@pytest.mark.parametrize(
    "weights", [pd.Series({0: 1.0, 1: 2.0}), np.array([1.0, 2.0]), pl.Series([1.0, 2.0])]
)
def test_class_weight_that_is_not_a_dict_is_an_error_that_says_so(estimator, weights):
    X, y = load_breast_cancer(return_X_y=True)
    with pytest.raises(ValueError, match=r"'class_weight' .* must be a dict of weights by class"):
        estimator(class_weight=weights).fit(X, y)
    plain = estimator(2, max_iter=5, random_state=0)
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


@pytest.mark.filterwarnings("ignore:Constructing a DIA:scipy.sparse.SparseEfficiencyWarning")
@pytest.mark.parametrize("container", SPARSE, ids=lambda c: c.__name__)
def test_sparse_containers(container):
    X, y = load_iris(return_X_y=True)
    X = np.where(X > 1.5, X, 0.0)
    model = make().fit(sparse.csr_array(X), y)
    for method in ("predict", "predict_proba", "decision_function", "transform"):
        result = getattr(model, method)(container(X))
        assert isinstance(result, np.ndarray)
        # what was learned from sparse data predicts on dense data
        assert_allclose(getattr(model, method)(X), result, rtol=1e-12, atol=1e-14)
    if not container.__name__.startswith("bsr"):  # which stores zeros
        other = make().fit(container(X), y)
        assert_same_fit(other, model)


@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_a_stream_may_change_between_sparse_and_dense(solver):
    X, y = load_iris(return_X_y=True)  # has no zero, so that a sparse step moves all weights
    order = np.random.RandomState(0).permutation(150)
    models = []
    for dense_batches in ((), (1, 3), (0,)):
        model = make(solver=solver)
        for i, batch in enumerate(np.split(order, 5)):
            rows = X[batch] if i in dense_batches else sparse.csr_array(X[batch])
            model.partial_fit(rows, y[batch], classes=[0, 1, 2])
        models.append(model)
    sparse_only, mixed, dense_first = models
    assert_allclose(mixed.predict_proba(X), sparse_only.predict_proba(X), atol=1e-5)
    assert np.isfinite(dense_first.coefs_[0]).all()
    assert_allclose(
        mixed._stream["moments"]["variance"],
        sparse_only._stream["moments"]["variance"],
        rtol=1e-13,
    )


def test_text_in_a_pipeline():
    texts = ["good film", "bad film", "a good one", "really bad", "good good", "bad bad one"] * 5
    y = ["pos", "neg", "pos", "neg", "pos", "neg"] * 5
    model = make_pipeline(TfidfVectorizer(), TwoLayerMLPClassifier(8, random_state=0))
    assert model.fit(texts, y).score(texts, y) == 1.0


def test_tags():
    tags = get_tags(make())
    assert tags.estimator_type == "classifier"
    assert is_classifier(make())
    assert tags.input_tags.sparse
    assert tags.input_tags.two_d_array
    assert not tags.input_tags.allow_nan
    assert not tags.input_tags.string
    assert not tags.input_tags.categorical
    assert tags.classifier_tags.multi_class
    assert tags.classifier_tags.multi_label
    assert not tags.classifier_tags.poor_score
    assert tags.target_tags.required
    assert tags.transformer_tags.preserves_dtype == ["float64", "float32"]
    assert tags.array_api_support
    assert not tags.non_deterministic
    assert tags.requires_fit
    assert not tags.no_validation


def test_html_representation():
    X, y = load_iris(return_X_y=True, as_frame=True)
    model = make()
    html = model._repr_html_()
    assert "TwoLayerMLPClassifier" in html
    assert "Not fitted" in html
    page = "https://sk-mlp.readthedocs.io/en/stable/generated/sk_mlp.TwoLayerMLPClassifier.html"
    assert page in html
    for parameter in model.get_params():
        assert parameter in html

    html = make_pipeline(StandardScaler(), model).fit(X, y)._repr_html_()
    assert page in html
    assert "Not fitted" not in html


@pytest.mark.skipif(
    tuple(map(int, sklearn.__version__.split(".")[:2])) < (1, 9),
    reason="scikit-learn 1.9 shows fitted attributes and output features",
)
@pytest.mark.parametrize(
    "model", [make(), TwoLayerMLPClassifierCV(4, alphas=[1.0], cv=2, random_state=0)]
)
def test_html_representation_shows_and_explains_what_was_fitted(model):
    X, y = load_iris(return_X_y=True, as_frame=True)
    html = model.fit(X, y)._repr_html_()
    fitted = [name for name in vars(model) if name.endswith("_") and not name.startswith("_")]
    assert {"coefs_", "intercepts_", "classes_", "loss_", "n_iter_", "stop_reason_"} <= {*fitted}
    for name in fitted:
        assert name in html
    assert f"{type(model).__name__.lower()}0" in html  # an output feature
    # scikit-learn explains what has a line of its own in the docstring
    for name in [*model.get_params(), *fitted]:
        assert f"\n{name} : " in inspect.cleandoc(type(model).__doc__), name


def test_routing_of_sample_weight():
    X, y = load_breast_cancer(return_X_y=True)
    weights = np.random.RandomState(0).uniform(size=len(y))
    expected = make().fit(X, y, sample_weight=weights).predict_proba(X)
    pipeline = make_pipeline(StandardScaler(with_mean=False, with_std=False), make())
    pipeline.fit(X, y, twolayermlpclassifier__sample_weight=weights)
    assert_array_equal(pipeline.predict_proba(X), expected)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = make().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        scores = cross_val_score(routed, X, y, cv=2, params={"sample_weight": weights})
        assert len(scores) == 2
        plain = cross_val_score(
            make().set_fit_request(sample_weight=False).set_score_request(sample_weight=False),
            X,
            y,
            cv=2,
            params={},
        )
        assert not np.array_equal(scores, plain)


def test_in_a_column_transformer():
    X, y = load_iris(return_X_y=True, as_frame=True)
    columns = ColumnTransformer([("net", make(), X.columns[:2].tolist())], remainder="passthrough")
    H = columns.fit_transform(X, y)
    assert H.shape == (150, 4 + 2)
    assert clone(columns).fit(X, y).get_feature_names_out()[0] == "net__twolayermlpclassifier0"


def test_a_bare_import_loads_no_extra():
    # scikit-learn itself loads rich and pandas if they are there
    code = (
        "import sys, sklearn.pipeline, sklearn.model_selection; before = set(sys.modules)\n"
        "import sk_mlp\n"
        "extras = 'matplotlib rich onnx skl2onnx torch array_api_compat dask distributed skops "
        "pandas polars'.split()\n"
        "print([name for name in extras if name in set(sys.modules) - before])\n"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code], check=True, timeout=120, capture_output=True, text=True
    )
    assert printed.stdout.strip() == "[]"
