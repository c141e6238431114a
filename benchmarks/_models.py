"""The classifiers that quality.py compares, each a function of the training data."""

import importlib.util
import logging
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold, StratifiedShuffleSplit
from sklearn.neural_network import MLPClassifier

import sk_mlp
from sk_mlp import TwoLayerMLPClassifier
from sk_mlp._data.moments import is_text_like
from sk_mlp._network.parameters import Layout
from sk_mlp._training.settings import Size, resolve

# training data (X, y) -> unfitted classifier, or None if it cannot take X
Factory = Callable[[Any, np.ndarray], Any]


def hist_gradient_boosting(X: Any, y: np.ndarray) -> Any:
    """Boosted trees, which take no sparse data."""
    return None if sparse.issparse(X) else HistGradientBoostingClassifier(random_state=0)


def tuned_mlp(X: Any, y: np.ndarray) -> Any:
    """GridSearchCV of MLPClassifier over the grid and the folds of TwoLayerMLPClassifierCV."""
    tuned = sk_mlp.TwoLayerMLPClassifierCV(random_state=0).fit(X, y)
    n_folds = tuned.scores_.shape[1]
    if n_folds == 1:
        cv = StratifiedShuffleSplit(1, test_size=1 / 3, random_state=0)
    else:
        cv = StratifiedKFold(n_folds, shuffle=True, random_state=0)
    # MLPClassifier divides its penalty by the rows of a batch, sk_mlp by all rows
    share = min(200, X.shape[0]) / X.shape[0]
    candidates = {
        "alpha": share * tuned.alphas_,
        "hidden_layer_sizes": [(int(h),) for h in np.atleast_1d(tuned.hidden_units)],
    }
    return GridSearchCV(MLPClassifier(random_state=0), candidates, scoring="neg_log_loss", cv=cv)


def realmlp(X: Any, y: np.ndarray) -> Any:
    """RealMLP-TD-S of pytabkit: three hidden layers of 256 units, 256 epochs."""
    if sparse.issparse(X):
        return None
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    return importlib.import_module("pytabkit").RealMLP_TD_S_Classifier(random_state=0, device="cpu")


MODELS: dict[str, Factory] = {
    "mlp": lambda X, y: MLPClassifier(random_state=0),
    "logistic": lambda X, y: LogisticRegression(max_iter=1000),
    "hgb": hist_gradient_boosting,
    "ours": lambda X, y: TwoLayerMLPClassifier(random_state=0),
    "ours_cv": lambda X, y: sk_mlp.TwoLayerMLPClassifierCV(random_state=0),
    "mlp_grid": tuned_mlp,
    "realmlp": realmlp,
}
DEFAULT_MODELS = ("mlp", "logistic", "hgb", "ours", "ours_cv")


def missing(name: str) -> str | None:
    """Return why a model cannot be run here, or None if it can."""
    if name in ("ours_cv", "mlp_grid") and not hasattr(sk_mlp, "TwoLayerMLPClassifierCV"):
        return "sk_mlp has no TwoLayerMLPClassifierCV"
    if name == "realmlp" and importlib.util.find_spec("pytabkit") is None:
        return "pytabkit is not installed"
    return None


class Times(NamedTuple):
    """A multiple of a default, once its "auto" is resolved."""

    factor: float

    def __str__(self) -> str:
        return f"x {self.factor:g}"


class Step(NamedTuple):
    """One default changed, on top of `base`, to a value or to a multiple."""

    base: tuple[tuple[str, Any], ...]
    parameter: str
    change: Any

    @property
    def base_name(self) -> str:
        """Name of the classifier that it is compared with."""
        given = ", ".join(f"{name}={value}" for name, value in self.base)
        return f"ours({given})" if given else "ours"

    @property
    def name(self) -> str:
        """Name of the changed classifier in the results."""
        return f"{self.base_name}[{self.parameter} {self.change}]"

    def make(self, X: Any, y: np.ndarray) -> TwoLayerMLPClassifier:
        """Build the changed classifier."""
        model = TwoLayerMLPClassifier(random_state=0).set_params(**dict(self.base))
        value = self.change
        if isinstance(value, Times):
            options = model.get_params()
            classes = len(np.unique(y))
            n_outputs = 1 if classes == 2 else classes
            layout = Layout(X.shape[1], model.hidden_units, n_outputs)
            text = is_text_like(X) and 4 * X.shape[1] > X.shape[0]
            settings = resolve(options, Size(X.shape[0], layout, text=text))
            resolved = {**options, **settings._asdict()}[self.parameter]
            if self.parameter == "learning_rate_init":
                resolved = settings.course.learning_rate
            elif self.parameter == "alpha":
                resolved = model.fit(X, y).alpha_
            value = type(resolved)(resolved * value.factor)
            value = max(1, value) if isinstance(value, int) else value
        return model.set_params(**{self.parameter: value})


# One step either side of each default. Where a default does nothing for the solver that
# "auto" takes, the solver or the size for which it matters is the base.
HALF, TWICE = Times(0.5), Times(2.0)
CHANGES: dict[tuple[tuple[str, Any], ...], dict[str, tuple[Any, ...]]] = {
    (): {
        "alpha": (Times(0.1), Times(0.3), Times(3.0), Times(10.0)),
        "hidden_units": (HALF, TWICE),
        "activation": ("tanh", "leaky_relu", "gelu", "silu"),
        "solver": ("lbfgs",),
        "max_iter": (HALF, TWICE),
    },
    (("solver", "adam"),): {
        "batch_size": (HALF, TWICE),
        "learning_rate_init": (HALF, TWICE),
        "learning_rate": ("constant",),
        "max_iter": (HALF, TWICE),
        "beta_2": (0.99,),
    },
    (("solver", "lbfgs"),): {
        "tol": (Times(0.1), Times(10.0)),
        "n_iter_no_change": (HALF, TWICE),
        "max_iter": (HALF, TWICE),
    },
    (("hidden_units", 8),): {"n_init": (1, HALF, TWICE)},
}


def steps() -> Iterator[Step]:
    """All single changes of a default."""
    for base, changes in CHANGES.items():
        for parameter, values in changes.items():
            for value in values:
                yield Step(base, parameter, value)


def sensitivity_models() -> dict[str, Factory]:
    """Every changed classifier and the ones that they are compared with."""
    models: dict[str, Factory] = {}
    for step in steps():
        if step.base_name not in models:
            base = dict(step.base)
            models[step.base_name] = partial(_with, base)
        models[step.name] = step.make
    return models


def _with(base: dict[str, Any], X: Any, y: np.ndarray) -> TwoLayerMLPClassifier:
    return TwoLayerMLPClassifier(random_state=0).set_params(**base)
