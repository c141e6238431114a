"""Draw the network as a graph."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from sk_mlp._displays.display import NAMES, NEGATIVE, POSITIVE, Display, shown
from sk_mlp._displays.network_view import NetworkView, strongest

NODE = 0.36  # inches from node to node
THICKEST = 4.0  # points, the line of the largest weight of a layer
DASHED = (0, (3, 1))  # "--" looks like a row of dots in a thin line


@dataclass(kw_only=True, repr=False, eq=False)
class NetworkDisplay(Display):
    """The network as a graph: inputs, hidden units, outputs, and a line for each weight.

    The thicker and darker a line, the larger its weight among those of its layer; solid lines
    raise what they lead to, dashed lines lower it. Hidden units stand in the order of
    ``transform``, the one that contributes most on top. Only the strongest of many
    inputs or units are drawn.

    With samples, weights are per standard deviation, as in :class:`HiddenUnitsDisplay`; without
    samples they are as in ``coefs_``. Intercepts are not drawn.

    It is recommended to use :meth:`from_estimator` to create a display. All parameters are
    stored as attributes. Read more in the :ref:`User Guide <pictures>`.

    Parameters
    ----------
    input_weights : ndarray of shape (n_features, hidden_units)
        Weights of the hidden layer.
    output_weights : ndarray of shape (hidden_units, n_outputs)
        Weights of the output layer, in logits.
    feature_names, output_names : ndarray of shape (n_features,) and (n_outputs,)
        Names of the inputs and outputs.

    Attributes
    ----------
    features, units : ndarray of shape (n_inputs_drawn,) and (n_units_drawn,)
        Indices of the inputs and hidden units drawn, from top to bottom.
    ax_, figure_ : matplotlib Axes and Figure
        Where the graph is.
    edges_ : list of matplotlib LineCollection
        The weights into the hidden units, and those out of them: row by row as in the arrays,
        for the inputs and units drawn.
    nodes_ : list of matplotlib PathCollection
        Inputs, hidden units and outputs.
    labels_ : list of list of matplotlib Text
        Their names.

    See Also
    --------
    HiddenUnitsDisplay : The same weights as a map, for more features and units.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sk_mlp import NetworkDisplay, TwoLayerMLPClassifier
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> network = TwoLayerMLPClassifier(hidden_units=3, random_state=0).fit(X, y)
    >>> display = NetworkDisplay.from_estimator(network, X)
    >>> [len(edges.get_segments()) for edges in display.edges_]
    [12, 9]
    """

    __module__ = "sk_mlp"

    input_weights: np.ndarray
    output_weights: np.ndarray
    feature_names: np.ndarray
    output_names: np.ndarray

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any = None,
        *,
        feature_names: Any = None,
        max_features: int = 12,
        max_units: int = 8,
        ax: Any = None,
    ) -> Self:
        """Draw a fitted network.

        Parameters
        ----------
        estimator : estimator of sk_mlp, Pipeline or search
            Fitted. The last step of a Pipeline is drawn, and the `best_estimator_` of a search.
        X : array-like or sparse matrix of shape (n_samples, n_features), default=None
            Samples, as `estimator` takes them, for weights per standard deviation. None draws
            the weights in the units of the features.
        feature_names : array-like of str of shape (n_features,), default=None
            Names of the inputs of the network. None takes those that the preceding steps give,
            or that it saw in fit, or else ``x0``, ``x1``, ...
        max_features : int, default=12
            Maximum number of inputs to draw; those with the largest weights are kept.
        max_units : int, default=8
            Maximum number of hidden units to draw; those that contribute most are kept.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.

        Returns
        -------
        NetworkDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If X or `feature_names` do not fit the network.
        """
        view = NetworkView(estimator, cls.__name__, X, feature_names=feature_names)
        return cls(
            input_weights=view.W1 * view.feature_std[:, None],
            output_weights=view.W2 * view.unit_std[:, None],
            feature_names=view.feature_names,
            output_names=view.classes[-view.W2.shape[1] :],  # of two classes the second
        ).plot(ax=ax, max_features=max_features, max_units=max_units)

    def plot(self, ax: Any = None, *, max_features: int = 12, max_units: int = 8) -> Self:
        """Draw the network.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        max_features : int, default=12
            Maximum number of inputs to draw; those with the largest weights are kept.
        max_units : int, default=8
            Maximum number of hidden units to draw; those that contribute most are kept.

        Returns
        -------
        NetworkDisplay
            The display itself.
        """
        contribution = np.linalg.norm(self.output_weights, axis=1)
        self.units = np.sort(strongest(self.output_weights, max_units))
        self.features = np.sort(strongest(self.input_weights * contribution, max_features))
        inputs, outputs = self.feature_names[self.features], self.output_names
        most = max(4, len(inputs), len(self.units), len(outputs))
        ax = self._set_axes(ax, figsize=(6.4, 1.2 + NODE * most))
        ax.set_axis_off()
        ax.set(xlim=(-0.1, 2.1), ylim=(-0.06, 1.06))
        self.edges_ = [
            self._draw_edges(0, self.input_weights[np.ix_(self.features, self.units)]),
            self._draw_edges(1, self.output_weights[self.units]),
        ]
        # with the size of the nodes, the side of their names, and the distance in points
        layers = [
            self._draw_nodes(0, "inputs", inputs, len(self.feature_names), 60, "right", -9),
            self._draw_nodes(1, "hidden units", self.units, len(contribution), 260, "center", 0),
            self._draw_nodes(2, "logits", outputs, len(outputs), 60, "left", 9),
        ]
        self.nodes_, self.labels_ = map(list, zip(*layers, strict=True))
        ax.plot([], [], label="positive weight", color=POSITIVE, linewidth=2.5)
        ax.plot([], [], label="negative", color=NEGATIVE, linewidth=2.5, linestyle=DASHED)
        below = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.05), "frameon": False}
        ax.legend(ncols=2, fontsize="small", **below)
        return self

    def _draw_edges(self, x: int, weights: np.ndarray) -> Any:
        from matplotlib.collections import LineCollection

        w = weights.ravel()
        largest = np.abs(w).max()
        strength = np.abs(w) / (largest or 1.0)
        left, right = map(_heights, weights.shape)
        edges = LineCollection(
            [[(x, start), (x + 1, end)] for start in left for end in right],
            colors=np.where(w > 0, POSITIVE, NEGATIVE),
            linewidths=THICKEST * strength,
            linestyles=[DASHED if value < 0 else "-" for value in w],
            alpha=0.08 + 0.85 * strength,
            zorder=1,
        )
        text = f"largest weight: {largest:.2g}"
        self.ax_.text(x + 0.5, -0.02, text, ha="center", va="top", fontsize="small")
        return self.ax_.add_collection(edges)

    def _draw_nodes(
        self, x: int, kind: str, names: np.ndarray, total: int, size: int, side: str, offset: int
    ) -> tuple[Any, list[Any]]:
        ax, heights = self.ax_, _heights(len(names))
        heading = kind if len(names) == total else f"{len(names)} of {total}\n{kind}"
        ax.text(x, 1.07, heading, ha="center", va="bottom", weight="bold", fontsize="small")
        look = {"s": size, "facecolor": "white", "edgecolor": "0.15", "zorder": 3}
        nodes = ax.scatter(np.full(len(names), x), heights, **look)
        beside = {"xytext": (offset, 0), "textcoords": "offset points", "zorder": 4, **NAMES}
        align = {"ha": side, "va": "center_baseline"}
        places = zip(names, heights, strict=True)
        return nodes, [ax.annotate(shown(n), (x, y), **beside, **align) for n, y in places]


def _heights(n: int) -> np.ndarray:
    """Return the heights of n nodes from top to bottom, of a single one the middle."""
    return 1 - (np.arange(n) + 0.5) / n
