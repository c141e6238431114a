"""Predictions block by block: the blocks leave no trace."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sk_mlp import TwoLayerMLPClassifier
from sk_mlp._backend.rows import MIN_FORWARD_ROWS
from sk_mlp._predictor import DIRECT_ROWS

SIZES = [n + i for n in (DIRECT_ROWS, MIN_FORWARD_ROWS) for i in (-1, 0, 1)]


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize(("dtype", "rtol"), [("float64", 1e-10), ("float32", 1e-3)])
def test_every_number_of_rows_gives_the_network(n_classes, dtype, rtol):
    rng = np.random.default_rng(0)
    X = rng.standard_normal((2 * MIN_FORWARD_ROWS + 1, 20)).astype(dtype)
    y = rng.integers(0, n_classes, len(X))
    model = TwoLayerMLPClassifier(30, alpha=1.0, max_iter=2, random_state=0).fit(X, y)
    H = np.maximum(X @ model.coefs_[0] + model.intercepts_[0], 0)
    S = H @ model.coefs_[1] + model.intercepts_[1]
    for n in [1, *SIZES, len(X)]:
        raw, phi = model.decision_function(X[:n]), model.transform(X[:n])
        assert raw.dtype == phi.dtype == dtype
        assert_allclose(raw.reshape(n, -1), S[:n], rtol=rtol, atol=rtol / 10)
        assert_allclose(phi, H[:n], rtol=rtol, atol=rtol / 10)
