"""Predictions and the transformation to the hidden layer."""

import numpy as np

from .data import SIZES, problem
from .fit import fit


class Predict:
    """A fitted network on one row and on all rows."""

    params = (list(SIZES), ["float64", "float32"], ["one", "all"])
    param_names = ("size", "dtype", "rows")

    def setup(self, size: str, dtype: str, rows: str) -> None:
        """Fit for an iteration."""
        X, y, h = problem(size, dtype)
        self.model = fit(X, y, "lbfgs", hidden_units=h, max_iter=1, n_init=1)
        self.X = X[:1] if rows == "one" else X

    def time_predict(self, size: str, dtype: str, rows: str) -> None:
        """Labels."""
        self.model.predict(self.X)

    def time_predict_proba(self, size: str, dtype: str, rows: str) -> None:
        """Probabilities."""
        self.model.predict_proba(self.X)

    def time_transform(self, size: str, dtype: str, rows: str) -> None:
        """Hidden layer."""
        self.model.transform(self.X)


class PredictMemory:
    """Peak memory of probabilities for 200 000 rows, 40 MB in float32."""

    params = (["float64", "float32"],)
    param_names = ("dtype",)

    def peakmem_predict_proba(self, dtype: str) -> None:
        """Fit on some rows, predict for all."""
        X = np.random.default_rng(0).standard_normal((200_000, 50), dtype=dtype)
        fit(X[:1000], X[:1000, 0] > 0, "lbfgs", max_iter=1, n_init=1).predict_proba(X)
