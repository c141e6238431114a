"""The parameters of the network as one flat vector, and functions of that vector.

Layout of the vector: ``b1`` (hidden_units,), ``W1`` (n_features, hidden_units), ``W2``
(hidden_units, n_outputs), ``b2`` (n_outputs,), each in C order. So the penalised weights are
one contiguous slice.
"""

from typing import NamedTuple

import numpy as np

from sk_mlp._backend.arrays import Array, reshape


class Parameters(NamedTuple):
    """Views of the four parts of a flat vector of parameters or of their gradient.

    Attributes
    ----------
    W1 : array of shape (n_features, hidden_units)
    b1 : array of shape (hidden_units,)
    W2 : array of shape (hidden_units, n_outputs)
    b2 : array of shape (n_outputs,)
    """

    W1: Array
    b1: Array
    W2: Array
    b2: Array


class Layout(NamedTuple):
    """Shapes of the four parameter arrays inside the flat vector."""

    n_features: int
    hidden_units: int
    n_outputs: int

    @property
    def weights(self) -> slice:
        """The penalised coordinates: the entries of W1 and W2."""
        d, h, k = self
        return slice(h, (1 + d + k) * h)

    @property
    def size(self) -> int:
        """Length of the flat vector."""
        d, h, k = self
        return (1 + d + k) * h + k

    @property
    def multiply_adds(self) -> int:
        """Work of a row in a forward pass."""
        return self.hidden_units * (self.n_features + self.n_outputs)

    def views(self, vector: Array) -> Parameters:
        """Return views of the four parts of a flat vector."""
        d, h, k = self
        w2, b2 = (1 + d) * h, (1 + d + k) * h
        W1, W2 = reshape(vector[h:w2], (d, h)), reshape(vector[w2:b2], (h, k))
        return Parameters(W1, vector[:h], W2, vector[b2:])

    def flatten(self, params: Parameters) -> np.ndarray:
        """Copy four arrays on the host into a new flat float64 vector."""
        vector = np.empty(self.size)
        for view, values in zip(self.views(vector), params, strict=True):
            view[...] = values
        return vector


class Standardization(NamedTuple):
    """Change of variables between user units and standardised units.

    The network on standardised features ``(x - mean) / scale`` with parameters (V1, c1) is
    the network on x with ``W1 = V1 / scale`` and ``b1 = c1 - mean @ W1``. Hence
    ``dL/dV1 = (dL/dW1 - outer(mean, dL/db1)) / scale`` and ``dL/dc1 = dL/db1``.

    Attributes
    ----------
    mean : ndarray of shape (n_features,) or None
        In the units of the features. None: both units are the same, see `IDENTITY`.
    scale : ndarray of shape (n_features,) or float
        In the units of the features. That of a constant feature is infinite: its standardised
        value is zero, and so are its weights in user units.
    """

    mean: np.ndarray | None
    scale: np.ndarray | float

    def to_user_units(self, layout: Layout, vector: np.ndarray) -> np.ndarray:
        """Return the parameters of the same function of the original features."""
        result = vector.copy()
        if self.mean is not None:
            W1, b1, _, _ = layout.views(result)
            W1 /= np.reshape(self.scale, (-1, 1))
            b1 -= self.mean @ W1
        return result

    def to_standardized_units(self, layout: Layout, vector: np.ndarray) -> np.ndarray:
        """Inverse of `to_user_units`."""
        result = vector.copy()
        if self.mean is not None:
            W1, b1, _, _ = layout.views(result)
            b1 += self.mean @ W1
            with np.errstate(invalid="ignore"):
                W1 *= np.reshape(self.scale, (-1, 1))
            W1[np.isinf(self.scale)] = 0.0
        return result

    def chain_rule(self, layout: Layout, gradient: np.ndarray) -> None:
        """Turn a gradient in user units into one in standardised units, in place."""
        if self.mean is not None:
            gW1, gb1, _, _ = layout.views(gradient)
            gW1 -= self.mean[:, None] * gb1
            gW1 /= np.reshape(self.scale, (-1, 1))


IDENTITY = Standardization(None, 1.0)

# Up to ORDINARY, a scale that grows leaves the function as it is. Beyond, the weights of the column
# may not become larger than LARGE times those of a random start: a slope learned on a column
# that hardly varied (one time 1e-3, then 1e4) says nothing about the range that it has now.
ORDINARY, LARGE = 1.1, 3.0


def rescaled(
    layout: Layout, user: np.ndarray, old: Standardization, new: Standardization, fresh: np.ndarray
) -> np.ndarray:
    """Parameters in the units of `new` of a network that was trained in those of `old`.

    The function stays the same, with two exceptions. Where the scale of a column has grown
    by more than a tenth and its weights would become too large, they are limited; the
    function then keeps its value at the old mean. A column that was constant so far starts
    with its weights in `fresh`, a random start in standardised units, which leave the function
    of all rows seen so far unchanged. `user` holds the parameters in user units.
    """
    if old.mean is None or new.mean is None:
        return new.to_standardized_units(layout, user)
    old_scale, new_scale = np.asarray(old.scale), np.asarray(new.scale)
    result = user.copy()
    W1, b1, _, _ = layout.views(result)
    start = layout.views(fresh).W1
    known = np.isfinite(old_scale) & np.isfinite(new_scale)
    before = np.linalg.norm(np.where(known[:, None], W1, 0.0), axis=1)
    with np.errstate(all="ignore"):
        growth = np.where(known, new_scale / old_scale, 1.0)
        large = LARGE * np.sqrt(np.mean(start**2) * layout.hidden_units)
        allowed = np.maximum(large, ORDINARY * before * np.where(known, old_scale, 0.0))
        after = before * np.where(known, new_scale, 0.0)
        limited = (growth > ORDINARY) & (after > allowed)
        factor = np.where(limited, allowed / after, 1.0)
    shrunk = W1[limited] * factor[limited, None]
    b1 += old.mean[limited] @ (W1[limited] - shrunk)
    W1[limited] = shrunk
    woken = np.isinf(old_scale) & np.isfinite(new_scale)
    W1[woken] = start[woken] / new_scale[woken, None]
    b1 -= old.mean[woken] @ W1[woken]
    return new.to_standardized_units(layout, result)


def initial_parameters(
    layout: Layout, gain: float, rng: np.random.RandomState, log_odds: np.ndarray
) -> np.ndarray:
    """Random start in standardised units.

    W1 and W2 are uniform in the range of Glorot & Bengio (2010), that of W1 times `gain`. The
    hyperplanes start at random offsets of the order of the data, and the output intercepts at the
    log-odds of the classes, so that the first loss is near the entropy of the prior.
    """
    d, h, k = layout
    vector = np.empty(layout.size)
    W1, b1, W2, b2 = layout.views(vector)
    bound = gain * np.sqrt(6.0 / (d + h))
    W1[...] = rng.uniform(-bound, bound, (d, h))
    b1[...] = rng.uniform(-bound, bound, h)
    bound = np.sqrt(6.0 / (h + k))
    W2[...] = rng.uniform(-bound, bound, (h, k))
    b2[...] = log_odds
    return vector


def in_canonical_order(
    layout: Layout, vector: np.ndarray, contribution: np.ndarray, odd: bool
) -> np.ndarray:
    """Reorder the hidden units by decreasing contribution and fix the sign of odd activations.

    The function of the network does not change. With an odd activation a unit and its
    negative are the same; the sign is the one that makes its largest outgoing weight
    positive.
    """
    order = np.argsort(-contribution, kind="stable")
    W1, b1, W2, b2 = layout.views(vector)
    W1, b1, W2 = W1[:, order], b1[order], W2[order]
    if odd:
        largest = np.abs(W2).argmax(axis=1)
        sign = np.where(W2[np.arange(layout.hidden_units), largest] < 0, -1.0, 1.0)
        W1, b1, W2 = W1 * sign, b1 * sign, W2 * sign[:, None]
    return layout.flatten(Parameters(W1, b1, W2, b2))
