"""At home in scikit-learn: pipelines of text, tags, representation, routing, imports."""

import inspect
import subprocess
import sys

import numpy as np
import pytest
import sklearn
from numpy.testing import assert_array_equal
from sklearn.base import clone, is_classifier
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

from sk_mlp import TwoLayerMLPClassifier, TwoLayerMLPClassifierCV


def make(hidden_units=4, **options):
    options = {"solver": "lbfgs", "n_init": 1, "tol": 1e-3, "random_state": 0, **options}
    return TwoLayerMLPClassifier(hidden_units, **options)


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
