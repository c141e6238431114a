"""Training: one evaluation of the objective, and fits with each solver."""

import math
import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning

from sk_mlp import TwoLayerMLPClassifier

from .data import SIZES, problem, sparse_problem


def fit(X: Any, y: np.ndarray, solver: str, **options: Any) -> TwoLayerMLPClassifier:
    """Fit for a number of iterations that does not depend on the data."""
    model = TwoLayerMLPClassifier(
        solver=solver, tol=0.0, n_iter_no_change=math.inf, random_state=0, **options
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(X, y)


class Objective:
    """Objective and gradient, in one thread and without the estimator."""

    params = (list(SIZES), ["float64", "float32"])
    param_names = ("size", "dtype")

    def setup(self, size: str, dtype: str) -> None:
        """Make the data and the objective."""
        from sk_mlp._network import objective
        from sk_mlp._network.network import Network
        from sk_mlp._network.parameters import IDENTITY, Layout

        X, y, h = problem(size, dtype)
        classes = SIZES[size][2]
        layout = Layout(X.shape[1], h, 1 if classes == 2 else classes)
        network = Network.named(layout, "relu", "logistic" if classes == 2 else "softmax")
        rows = objective.Rows(X, y[:, None].astype(bool) if classes == 2 else y, None)
        self.objective = objective.Objective(network, rows, IDENTITY, 1.0)
        self.at = np.random.default_rng(0).normal(size=layout.size) / math.sqrt(X.shape[1])

    def time_loss(self, size: str, dtype: str) -> None:
        """Objective alone."""
        self.objective.loss(self.at)

    def time_loss_gradient(self, size: str, dtype: str) -> None:
        """Objective and gradient."""
        self.objective.loss_gradient(self.at)


class Fit:
    """Fits of a fixed number of iterations or epochs."""

    params = (list(SIZES), ["float64", "float32"], ["lbfgs", "adam", "sgd"])
    param_names = ("size", "dtype", "solver")

    def setup(self, size: str, dtype: str, solver: str) -> None:
        """Make the data."""
        self.data = problem(size, dtype)

    def time_fit(self, size: str, dtype: str, solver: str) -> None:
        """Ten iterations of L-BFGS, or two epochs."""
        X, y, h = self.data
        fit(X, y, solver, hidden_units=h, max_iter=10 if solver == "lbfgs" else 2, n_init=1)


class FitSparse:
    """Epochs over sparse rows."""

    params = (["adam", "sgd", "lbfgs"],)
    param_names = ("solver",)

    def setup(self, solver: str) -> None:
        """Make the data."""
        self.data = sparse_problem()

    def time_fit(self, solver: str) -> None:
        """Two epochs or iterations."""
        fit(*self.data, solver, max_iter=2)


class FitDefaults:
    """Fits with all defaults, to their own end."""

    params = (["500x2 h3", "1797x64 h100"],)
    param_names = ("size",)

    def setup(self, size: str) -> None:
        """Make the data."""
        self.data = problem(size, "float64")

    def time_fit(self, size: str) -> None:
        """All defaults but the hidden units."""
        X, y, h = self.data
        TwoLayerMLPClassifier(h, random_state=0).fit(X, y)


class FitMemory:
    """Peak memory of a process that makes the data, 40 MB in float32, and fits them."""

    params = (["lbfgs", "adam"], ["float64", "float32"])
    param_names = ("solver", "dtype")

    def peakmem_fit(self, solver: str, dtype: str) -> None:
        """One iteration or epoch."""
        X = np.random.default_rng(0).standard_normal((200_000, 50), dtype=dtype)
        fit(X, X[:, 0] > 0, solver, hidden_units=100, max_iter=1, n_init=1)
