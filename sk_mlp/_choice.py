"""The choice of alpha and hidden units from held-out scores."""

import numpy as np

# A smaller alpha has to be better than a larger one beyond doubt to be chosen, because too little
# penalty costs more than too much. Doubt is a difference of so many standard errors, or, if that
# is more, this share of the error.
STANDARD_ERRORS, SHARE = 1.5, 0.02


def chosen(
    scores: np.ndarray,
    row_scores: list[np.ndarray] | None = None,
    row_weight: np.ndarray | None = None,
) -> tuple[int, int]:
    """Index of the hidden units with the best score and of the largest alpha near it.

    Parameters
    ----------
    scores : ndarray of shape (n_hidden_units, n_folds, n_alphas)
        The alphas in decreasing order; NaN where there is none.
    row_scores : list of ndarray of shape (n_alphas_scored, n_held_out), optional
        For each number of hidden units, the scores of which those in `scores` are means.
    row_weight : ndarray of shape (n_held_out,), optional
    """
    means = scores.mean(axis=1)
    means = np.where(np.isnan(means), -np.inf, means)
    i = int(np.argmax(means.max(axis=1)))
    best = means[i].max()
    # a score below zero is an error with its sign changed; of others the scale is not known
    margin = np.full(means.shape[1], SHARE * abs(best) if best < 0 else 0.0)
    if row_scores is not None:
        rows = row_scores[i]
        difference = rows[int(np.argmax(means[i]))] - rows
        error = STANDARD_ERRORS * standard_error(difference, row_weight)
        margin[: len(rows)] = np.maximum(margin[: len(rows)], error)
    return i, int(np.argmax(means[i] >= best - margin))


def standard_error(values: np.ndarray, weight: np.ndarray | None) -> np.ndarray:
    """Return the standard error of the mean of each row; a weight of k counts as k values."""
    mean = np.average(values, axis=1, weights=weight)
    variance = np.average((values - mean[:, None]) ** 2, axis=1, weights=weight)
    total = values.shape[1] if weight is None else float(weight.sum())
    return np.asarray(np.sqrt(variance / total))
