"""Draw what each hidden unit responds to."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy import sparse

from sk_mlp._displays.display import Display, Properties, shown
from sk_mlp._displays.geometry import box_section, class_regions, limits
from sk_mlp._displays.network_view import NetworkView, strongest
from sk_mlp._displays.weight_maps import CELL, draw_images, draw_maps, image_grid

ARROW = 0.07  # length, in widths of the picture
ROOM = 0.15  # around an arrow, in widths of the picture, that is enough
MAX_NUMBERED = 12  # more numbers than this hide the picture


@dataclass(kw_only=True, repr=False, eq=False)
class HiddenUnitsDisplay(Display):
    """What each hidden unit responds to.

    * Two features: the samples, the region of each class, and for every hidden unit the line
      ``x @ W1[:, j] + b1[j] = 0`` at which it changes, with an arrow to its positive side. The
      thicker and darker a line, the more its unit contributes.
    * Any other number of features: a map of the weights, features x hidden units above
      classes x hidden units. A column shows which features raise a unit and which classes
      the unit makes more probable.
    * Features that are pixels, with `image_shape`: the input weights of each unit as an image.

    Weights are drawn per standard deviation of the feature or unit that they start from, so that
    features in different units can be compared.

    It is recommended to use :meth:`from_estimator` to create a display. All parameters are
    stored as attributes. Read more in the :ref:`User Guide <pictures>`.

    Parameters
    ----------
    W1 : ndarray of shape (n_features, hidden_units)
        Weights of the hidden layer, in the units of the features.
    b1 : ndarray of shape (hidden_units,)
        Intercepts of the hidden layer.
    W2 : ndarray of shape (hidden_units, n_outputs)
        Weights of the output layer, in logits.
    feature_std, unit_std : ndarray of shape (n_features,) and (hidden_units,)
        Standard deviations of the features and of the outputs of the hidden units.
    feature_names : ndarray of shape (n_features,)
        Names of the features.
    classes : ndarray of shape (n_classes,)
        Labels in the order of the colours.
    X : ndarray of shape (n_samples, 2), default=None
        Samples, if there are two features.
    y : ndarray of shape (n_samples,), default=None
        Their labels; None draws all samples alike.
    regions : tuple of ndarray, default=None
        Coordinates ``xx0, xx1`` of a grid, shape (n, n) each, and by how many logits each
        class leads there, shape (n, n, n_classes).
    image_shape : tuple of int, default=None
        Rows and columns of the image that the features are the pixels of.

    Attributes
    ----------
    input_weights : ndarray of shape (n_features, hidden_units)
        Change of a unit's input per standard deviation of the feature.
    output_weights : ndarray of shape (hidden_units, n_outputs)
        Change of the logits per standard deviation of the unit.
    contribution : ndarray of shape (hidden_units,)
        Length of the rows of `output_weights`, in logits.
    ax_, figure_ : matplotlib Axes and Figure
        Where the picture is; maps and images divide the area of the axes.
    axes_ : list of matplotlib Axes
        The axes of the maps or images; `ax_` alone for two features.
    lines_, arrows_ : list of matplotlib Line2D and of Quiver
        For two features the line of each hidden unit, without points if it lies outside, and an
        arrow for each line that is in the picture.
    scatters_ : list of matplotlib PathCollection
        For two features the samples of each class.
    boundary_ : list of matplotlib ContourSet
        For two features the boundaries between the classes.
    maps_ : list of matplotlib PolyCollection
        For other numbers of features the two maps: a square for each weight, row by row, its
        area the magnitude, filled if positive.
    images_ : list of matplotlib AxesImage
        With `image_shape` the image of each hidden unit.

    See Also
    --------
    ProjectionDisplay : The output of the hidden units for each sample.

    Examples
    --------
    >>> from sklearn.datasets import make_circles
    >>> from sk_mlp import HiddenUnitsDisplay, TwoLayerMLPClassifier
    >>> X, y = make_circles(noise=0.1, factor=0.4, random_state=0)
    >>> network = TwoLayerMLPClassifier(hidden_units=3, random_state=0).fit(X, y)
    >>> display = HiddenUnitsDisplay.from_estimator(network, X, y)
    >>> len(display.lines_)
    3
    """

    __module__ = "sk_mlp"

    W1: np.ndarray
    b1: np.ndarray
    W2: np.ndarray
    feature_std: np.ndarray
    unit_std: np.ndarray
    feature_names: np.ndarray
    classes: np.ndarray
    X: np.ndarray | None = None
    y: np.ndarray | None = None
    regions: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None
    image_shape: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        self.input_weights = self.W1 * self.feature_std[:, None]
        self.output_weights = self.W2 * self.unit_std[:, None]
        self.contribution = np.linalg.norm(self.output_weights, axis=1)

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: Any = None,
        *,
        feature_names: Any = None,
        image_shape: tuple[int, int] | None = None,
        max_features: int = 30,
        ax: Any = None,
        scatter_kw: Properties = None,
    ) -> Self:
        """Draw the hidden units of a fitted network.

        Parameters
        ----------
        estimator : estimator of sk_mlp, Pipeline or search
            Fitted. The last step of a Pipeline is drawn, and the `best_estimator_` of a search.
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples to draw and to compute standard deviations from.
        y : array-like of shape (n_samples,), default=None
            Their labels, for the colours; None draws all alike.
        feature_names : array-like of str of shape (n_features,), default=None
            Names of the inputs of the network. None takes those that the preceding steps give,
            or that it saw in fit, or else ``x0``, ``x1``, ...
        image_shape : tuple of int, default=None
            Rows and columns, if the features are the pixels of an image.
        max_features : int, default=30
            Maximum number of features in a map; those with the largest weights are kept.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        scatter_kw : dict, default=None
            Passed to :meth:`matplotlib.axes.Axes.scatter`.

        Returns
        -------
        HiddenUnitsDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If X, y, `feature_names` or `image_shape` do not fit the network.
        """
        view = NetworkView(estimator, cls.__name__, X, y, feature_names)
        n_features = view.W1.shape[0]
        if image_shape is not None and np.prod(image_shape) != n_features:
            raise ValueError(f"image_shape={image_shape} does not hold {n_features} features.")
        plane: dict[str, Any] = {}
        if n_features == 2:
            points = view.X.toarray() if sparse.issparse(view.X) else view.X
            plane = {"X": points, "y": view.y}
            if not view.multilabel:  # whose labels do not exclude each other
                plane["regions"] = class_regions(view.raw_prediction, limits(points))
        return cls(
            W1=view.W1,
            b1=view.b1,
            W2=view.W2,
            feature_std=view.feature_std,
            unit_std=view.unit_std,
            feature_names=view.feature_names,
            classes=view.classes,
            image_shape=image_shape,
            **plane,
        ).plot(ax=ax, max_features=max_features, scatter_kw=scatter_kw)

    def plot(
        self, ax: Any = None, *, max_features: int = 30, scatter_kw: Properties = None
    ) -> Self:
        """Draw the hidden units.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        max_features : int, default=30
            Maximum number of features in a map; those with the largest weights are kept.
        scatter_kw : dict, default=None
            Passed to :meth:`matplotlib.axes.Axes.scatter`.

        Returns
        -------
        HiddenUnitsDisplay
            The display itself.
        """
        if self.image_shape is not None:
            self._draw_images(ax, self.image_shape)
        elif self.X is None:
            self._draw_maps(ax, max_features)
        else:
            self._draw_plane(ax, self.X, scatter_kw)
        return self

    def _draw_images(self, ax: Any, image_shape: tuple[int, int]) -> None:
        n_rows, n_columns = image_grid(self.W1.shape[1])
        ax = self._set_axes(ax, figsize=(0.9 * n_columns + 1.1, 1.1 * n_rows + 0.2))
        # the class whose logit a unit raises most
        raised = (self.W2[:, 0] > 0).astype(int) if self.W2.shape[1] == 1 else self.W2.argmax(1)
        labels = map(shown, self.classes[raised])
        titles = [f"{j} \N{RIGHTWARDS ARROW} {label}" for j, label in enumerate(labels)]
        self.axes_, self.images_ = draw_images(ax, self.input_weights, titles, image_shape)

    def _draw_maps(self, ax: Any, max_features: int) -> None:
        n_features, hidden_units = self.W1.shape
        rows, label = np.arange(n_features), "feature"
        if n_features > max_features:
            rows = strongest(self.input_weights * self.contribution, max_features)
            label = f"the {max_features} strongest of {n_features} features"
        outputs = self.classes[-self.W2.shape[1] :]  # of two classes the second
        # inches at which the cells are nearly square
        width = np.clip(2.4 + CELL * hidden_units, 5.6, 14)
        ax = self._set_axes(ax, figsize=(width, 1.6 + CELL * (len(rows) + len(outputs))))
        weights = self.input_weights[rows], self.output_weights
        names = self.feature_names[rows], outputs
        self.axes_, self.maps_ = draw_maps(ax, *weights, *names, label)

    def _draw_plane(self, ax: Any, X: np.ndarray, scatter_kw: Properties) -> None:
        ax = self._set_axes(ax, figsize=(5.6, 5.6))
        box = limits(X)
        self.axes_, self.boundary_ = [ax], []
        self.scatters_ = self._draw_samples(X, self.y, self.classes, scatter_kw)
        if self.regions is not None:
            self.boundary_ = self._fill_regions(*self.regions, outline="decision boundary")
        self._draw_hyperplanes(box)
        # a square picture, so that an arrow at right angles to its line can be computed
        ax.set(xlim=box[:, 0], ylim=box[:, 1], box_aspect=1)
        ax.set_xlabel(shown(self.feature_names[0]), parse_math=False)
        ax.set_ylabel(shown(self.feature_names[1]), parse_math=False)
        ax.plot([], [], "k--", label="hidden unit \N{RIGHTWARDS ARROW} positive side")
        self._add_legend()

    def _draw_hyperplanes(self, box: np.ndarray) -> None:
        """Draw where each unit changes, and an arrow to its positive side in the square picture."""
        from matplotlib.patheffects import withStroke

        ax, size, n_units = self.ax_, box[1] - box[0], len(self.b1)
        strength = self.contribution / (self.contribution.max() or 1.0)
        # slopes in widths of the picture, whatever the features measure
        slopes = np.linalg.norm(self.W1 * size[:, None], axis=0)
        along = np.linspace(-0.4, 0.4, 33)[:, None]
        self.lines_: list[Any] = []
        self.arrows_: list[Any] = []
        for j, (w, b, s) in enumerate(zip(self.W1.T, self.b1, strength, strict=True)):
            ends = box_section(w, b, box)
            look = {"color": "black", "alpha": 0.1 + 0.9 * s, "zorder": 4}
            self.lines_ += ax.plot(*ends.T, linestyle="--", linewidth=0.4 + 1.4 * s, **look)
            if not len(ends):
                continue
            # away from the other lines, near the middle, and side by side if lines coincide
            places = ends.mean(axis=0) + along * (ends[1] - ends[0])
            distances = np.abs(places @ self.W1 + self.b1) / np.maximum(slopes, 1e-300)
            room = np.delete(distances, j, axis=1).min(axis=1, initial=ROOM, keepdims=True)
            middle = 0.25 * ((j + 0.5) / n_units - 0.5)
            tail = places[np.argmax(room - 0.1 * np.abs(along - middle))]
            direction = w * size / slopes[j]
            style = {"angles": "uv", "units": "width", "width": 0.006, "scale": 1 / ARROW}
            self.arrows_.append(ax.quiver(*tail, *direction, **style, **look))
            if n_units <= MAX_NUMBERED:
                halo = [withStroke(linewidth=3, foreground="white")]
                look = {"ha": "center", "va": "center", "weight": "bold", "path_effects": halo}
                ax.text(*(tail + 1.5 * ARROW * direction * size), str(j), zorder=5, **look)
