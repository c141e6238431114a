"""Draw what each hidden unit responds to."""

from typing import Any, Self

import numpy as np
from scipy import sparse

from sk_mlp._displays.display import BOUNDARY, Display, Properties, line_handle, shown
from sk_mlp._displays.geometry import limits
from sk_mlp._displays.hyperplanes import draw_hyperplanes
from sk_mlp._displays.network_view import NetworkView, output_names, strongest
from sk_mlp._displays.weight_maps import draw_images, draw_maps, images_size, maps_size


class HiddenUnitsDisplay(Display):
    """What each hidden unit responds to.

    * Two features: the samples, the region of each class, and for every hidden unit the line
      ``x @ W1[:, j] + b1[j] = 0`` at which it changes, with an arrow to its positive side. The
      thicker and darker a line, the more its unit contributes.
    * Any other number of features: a map of the weights, features x hidden units above
      classes x hidden units: a column shows which features raise a unit and which classes
      the unit makes more probable.
    * Features that are pixels, with `image_shape`: the input weights of each unit as an image.

    Weights are drawn per standard deviation: those into a unit times the standard deviation
    of their feature, those out of it times the standard deviation of the unit. That makes
    features in different units comparable. The length of a unit's outgoing weights in this
    measure is its contribution.

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
    feature_std : ndarray of shape (n_features,)
        Standard deviation of each feature.
    unit_std : ndarray of shape (hidden_units,)
        Standard deviation of the output of each hidden unit.
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
    ax_ : matplotlib Axes
        Axes with the picture, or those whose area the maps divide.
    axes_ : list of matplotlib Axes
        The axes of the maps or images; `ax_` alone for two features.
    figure_ : matplotlib Figure
        Figure of the axes.
    lines_ : list of matplotlib Line2D
        For two features the line of each hidden unit; without points if it lies outside.
    arrows_ : list of matplotlib Quiver
        One arrow for each line that is in the picture.
    scatters_ : list of matplotlib PathCollection
        For two features the samples of each class.
    boundary_ : list of matplotlib ContourSet
        For two features the boundaries between the classes.
    maps_ : list of matplotlib PolyCollection
        For other numbers of features the two maps: one square for each weight, row by row, its
        area the magnitude; filled if positive, hollow if negative.
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

    def __init__(
        self,
        *,
        W1: np.ndarray,
        b1: np.ndarray,
        W2: np.ndarray,
        feature_std: np.ndarray,
        unit_std: np.ndarray,
        feature_names: np.ndarray,
        classes: np.ndarray,
        X: np.ndarray | None = None,
        y: np.ndarray | None = None,
        regions: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None,
        image_shape: tuple[int, int] | None = None,
    ) -> None:
        self.W1, self.b1, self.W2 = W1, b1, W2
        self.feature_std, self.unit_std = feature_std, unit_std
        self.feature_names, self.classes = feature_names, classes
        self.X, self.y, self.regions = X, y, regions
        self.image_shape = image_shape
        self.input_weights = W1 * feature_std[:, None]
        self.output_weights = W2 * unit_std[:, None]
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
            Fitted. A Pipeline is drawn as its last step, after the steps in front of it; a
            search as its `best_estimator_`.
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples to draw and to compute standard deviations from.
        y : array-like of shape (n_samples,), default=None
            Their labels, for the colours of the points. None draws all points alike.
        feature_names : array-like of str of shape (n_features,), default=None
            Names of the features of the network. None takes those that the steps in front of it
            give, or that it saw in fit, or else ``x0``, ``x1``, ...
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
            plane = {"X": points, "y": view.y, "regions": view.regions(limits(points))}
        return cls(
            W1=view.W1,
            b1=view.b1,
            W2=view.W2,
            feature_std=view.feature_std,
            unit_std=view.unit_std,
            feature_names=view.feature_names,
            classes=view.sample_classes if plane else view.classes,
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
        ax = self._set_axes(ax, figsize=images_size(self.W1.shape[1]))
        # the class whose logit a unit raises most
        raised = (self.W2[:, 0] > 0).astype(int) if self.W2.shape[1] == 1 else self.W2.argmax(1)
        labels = map(shown, self.classes[raised])
        titles = [f"{j} \N{RIGHTWARDS ARROW} {label}" for j, label in enumerate(labels)]
        self.axes_, self.images_ = draw_images(ax, self.input_weights, titles, image_shape)

    def _draw_maps(self, ax: Any, max_features: int) -> None:
        n_features, hidden_units = self.W1.shape
        rows = np.arange(n_features)
        label = "feature"
        if n_features > max_features:
            rows = strongest(self.input_weights * self.contribution, max_features)
            label = f"the {max_features} strongest of {n_features} features"
        n_outputs = self.W2.shape[1]
        ax = self._set_axes(ax, figsize=maps_size(len(rows) + n_outputs, hidden_units))
        self.axes_, self.maps_ = draw_maps(
            ax,
            self.input_weights[rows],
            self.output_weights,
            self.feature_names[rows],
            output_names(self.classes, n_outputs),
            label,
        )

    def _draw_plane(self, ax: Any, X: np.ndarray, scatter_kw: Properties) -> None:
        ax = self._set_axes(ax, figsize=(5.6, 5.6))
        box = limits(X)
        self.axes_ = [ax]
        self.boundary_ = []
        if self.regions is not None:
            self.boundary_ = self._fill_regions(*self.regions, outline=True)
        self.scatters_ = self._draw_samples(X, self.y, self.classes, scatter_kw)
        strength = self.contribution / (self.contribution.max() or 1.0)
        self.lines_, self.arrows_ = draw_hyperplanes(ax, self.W1, self.b1, strength, box)
        # a square picture, so that an arrow at right angles to its line can be computed
        ax.set(xlim=box[:, 0], ylim=box[:, 1], box_aspect=1)
        ax.set_xlabel(shown(self.feature_names[0]), parse_math=False)
        ax.set_ylabel(shown(self.feature_names[1]), parse_math=False)
        handles = [line_handle("decision boundary", **BOUNDARY)] if self.boundary_ else []
        label = "hidden unit \N{RIGHTWARDS ARROW} positive side"
        handles.append(line_handle(label, linestyle="--", color="black"))
        self._add_legend(*handles)
