"""Draw the network as a graph."""

from typing import Any, Self

import numpy as np

from sk_mlp._displays.display import NAMES, NEGATIVE, POSITIVE, Display, line_handle, shown
from sk_mlp._displays.network_view import NetworkView, output_names, strongest

NODE = 0.36  # inches from node to node
THICKEST = 4.0  # points, the line of the largest weight of a layer
DASHED = (0, (3, 1))  # "--" looks like a row of dots in a thin line


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
    feature_names : ndarray of shape (n_features,)
        Names of the inputs.
    output_names : ndarray of shape (n_outputs,)
        Names of the outputs.

    Attributes
    ----------
    features : ndarray of shape (n_inputs_drawn,)
        Indices of the inputs drawn, from top to bottom.
    units : ndarray of shape (n_units_drawn,)
        Indices of the hidden units drawn, from top to bottom.
    ax_ : matplotlib Axes
        Axes with the graph.
    figure_ : matplotlib Figure
        Figure of the axes.
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

    def __init__(
        self,
        *,
        input_weights: np.ndarray,
        output_weights: np.ndarray,
        feature_names: np.ndarray,
        output_names: np.ndarray,
    ) -> None:
        self.input_weights, self.output_weights = input_weights, output_weights
        self.feature_names, self.output_names = feature_names, output_names

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
            Fitted. A Pipeline is drawn as its last step, after the steps in front of it; a
            search as its `best_estimator_`.
        X : array-like or sparse matrix of shape (n_samples, n_features), default=None
            Samples, as `estimator` takes them, for weights per standard deviation. None draws
            the weights in the units of the features.
        feature_names : array-like of str of shape (n_features,), default=None
            Names of the features of the network. None takes those that the steps in front of it
            give, or that it saw in fit, or else ``x0``, ``x1``, ...
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
            output_names=output_names(view.classes, view.W2.shape[1]),
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
        layers = [
            [shown(name) for name in self.feature_names[self.features]],
            [str(j) for j in self.units],
            [shown(name) for name in self.output_names],
        ]
        ax = self._set_axes(ax, figsize=(6.4, 1.2 + NODE * max(4, *map(len, layers))))
        ax.set_axis_off()
        ax.set(xlim=(-0.1, 2.1), ylim=(-0.06, 1.06))
        # from top to bottom, a single node in the middle
        heights = [1 - (np.arange(n) + 0.5) / n for n in map(len, layers)]
        weights = (
            self.input_weights[np.ix_(self.features, self.units)],
            self.output_weights[self.units],
        )
        self.edges_ = [self._draw_edges(x, w, *heights[x : x + 2]) for x, w in enumerate(weights)]
        self._draw_nodes(layers, heights)
        self._draw_headings(weights)
        return self

    def _draw_edges(self, x: int, weights: np.ndarray, left: np.ndarray, right: np.ndarray) -> Any:
        from matplotlib.collections import LineCollection

        w = weights.ravel()
        strength = np.abs(w) / (np.abs(w).max() or 1.0)
        edges = LineCollection(
            [[(x, start), (x + 1, end)] for start in left for end in right],
            colors=np.where(w > 0, POSITIVE, NEGATIVE),
            linewidths=THICKEST * strength,
            linestyles=[DASHED if value < 0 else "-" for value in w],
            alpha=0.08 + 0.85 * strength,
            zorder=1,
        )
        return self.ax_.add_collection(edges)

    def _draw_nodes(self, layers: list[list[str]], heights: list[np.ndarray]) -> None:
        self.nodes_, self.labels_ = [], []
        # size of the nodes, side of their names, and distance of the names in points
        looks = ((60, "right", -9), (260, "center", 0), (60, "left", 9))
        for x, (size, side, offset) in enumerate(looks):
            places = np.full(len(heights[x]), x), heights[x]
            look = {"s": size, "facecolor": "white", "edgecolor": "0.15", "zorder": 3}
            self.nodes_.append(self.ax_.scatter(*places, **look))
            self.labels_.append(
                [
                    self.ax_.annotate(
                        name, place, (offset, 0), textcoords="offset points", ha=side,
                        va="center_baseline", zorder=4, **NAMES,
                    )
                    for name, *place in zip(layers[x], *places, strict=True)
                ]
            )  # fmt: skip

    def _draw_headings(self, weights: tuple[np.ndarray, np.ndarray]) -> None:
        ax = self.ax_
        counts = (
            ("inputs", len(self.features), len(self.feature_names)),
            ("hidden units", len(self.units), len(self.output_weights)),
            ("logits", len(self.output_names), len(self.output_names)),
        )
        for x, (name, drawn, total) in enumerate(counts):
            text = name if drawn == total else f"{drawn} of {total}\n{name}"
            ax.text(x, 1.07, text, ha="center", va="bottom", weight="bold", fontsize="small")
        for x, w in enumerate(weights):
            text = f"largest weight: {np.abs(w).max():.2g}"
            ax.text(x + 0.5, -0.02, text, ha="center", va="top", fontsize="small")
        handles = [
            line_handle("positive weight", color=POSITIVE, linewidth=2.5),
            line_handle("negative", color=NEGATIVE, linewidth=2.5, linestyle=DASHED),
        ]
        ax.legend(
            handles=handles, loc="upper center", bbox_to_anchor=(0.5, -0.05), ncols=2,
            frameon=False, fontsize="small",
        )  # fmt: skip
