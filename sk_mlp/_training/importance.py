"""How much each feature moves the output of a trained network."""

import numpy as np

from sk_mlp._backend.arrays import namespace_of, place, to_numpy
from sk_mlp._backend.rows import pass_rows, row_blocks
from sk_mlp._data.moments import FeatureMoments, feature_moments
from sk_mlp._network.network import Network
from sk_mlp._network.objective import CONTRIBUTION_ROWS, Rows

MULTIPLY_ADDS = 2e8  # as much as some tenths of a second of one core


def feature_importances(
    network: Network, rows: Rows, moments: FeatureMoments, params: np.ndarray
) -> np.ndarray:
    """Mean absolute gradient of the logits times the scale of the feature, with sum one.

    Parameters
    ----------
    network : Network
    rows : Rows
        Of which some two thousand are enough, and fewer for many features and outputs.
    moments : FeatureMoments
        Of all rows.
    params : float64 ndarray of shape (layout.size,)
        In user units.

    Returns
    -------
    importances : float64 ndarray of shape (n_features,)
        In the order of the features. All zero if the output is constant.
    """
    d, h, k = network.layout
    n_rows = max(10, min(CONTRIBUTION_ROWS, int(MULTIPLY_ADDS / (d * h * k))))
    some = rows.take(slice(None, None, max(1, rows.n_rows // n_rows)))
    X, weights = some.X, some.sample_weight
    at = network.layout.views(place(params, X, X.dtype))
    total, weight_sum = np.zeros(d), 0.0
    for block in row_blocks(0, some.n_rows, pass_rows(X, 8 * k * max(d, h))):
        part = some.take(block)
        gradient = network.input_gradient(at, part.block, logits=True)
        absolute = to_numpy(
            namespace_of(gradient).sum(namespace_of(gradient).abs(gradient), axis=1)
        )
        w = np.ones(len(absolute)) if weights is None else to_numpy(weights[block])
        total += w @ absolute
        weight_sum += float(w.sum())
    variance = moments.variance
    if variance is None:
        variance = feature_moments(X, None, text=rows.text).variance
    importances = total / max(weight_sum, np.finfo(float).tiny) * np.sqrt(variance)
    whole = float(importances.sum())
    return np.asarray(importances / whole if whole > 0 else importances)
