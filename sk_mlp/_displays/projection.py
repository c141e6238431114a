"""Draw the hidden layer of each sample and what separates the classes there."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from sklearn.decomposition import PCA

from sk_mlp._displays.display import BOUNDARY, Display, Properties
from sk_mlp._displays.geometry import box_section, class_regions, limits
from sk_mlp._displays.network_view import NetworkView

ELEVATION = np.radians(20)  # of the view on three axes
BOX_ASPECT = (4, 4, 3)  # sides of the box on three axes: matplotlib's own


@dataclass(kw_only=True, repr=False, eq=False)
class ProjectionDisplay(Display):
    """The samples as the output layer sees them: phi(x), and what separates the classes there.

    The output layer is a linear classifier of the hidden layer ``phi(x) = g(x W1 + b1)``. Two
    or three hidden units are the axes themselves. More are projected orthogonally onto a plane,
    and the labels say which share of the variance each axis keeps. For two classes the first axis
    is the direction of the output weights, so that the separating hyperplane appears as a line,
    and the second is the first principal component of the rest. For more classes the axes are the
    first two principal components, without a boundary: no plane shows it undistorted.

    It is recommended to use :meth:`from_estimator` to create a display. All parameters are
    stored as attributes. Read more in the :ref:`User Guide <pictures>`.

    Parameters
    ----------
    projection : ndarray of shape (n_samples, n_axes)
        Coordinates of the samples; two or three axes.
    y : ndarray of shape (n_samples,) or None
        Labels of the samples; None draws all of them alike.
    classes : ndarray of shape (n_classes,)
        Labels in the order of the colours.
    axis_labels : list of str of shape (n_axes,)
        Names of the axes.
    coefs, intercept : ndarray of shape (n_axes, n_outputs) and (n_outputs,), default=None
        The raw prediction at a point z of the picture is ``z @ coefs + intercept``, in logits.
        None draws no boundary.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where the samples are; the axes are three-dimensional for three hidden units.
    scatters_ : list of matplotlib PathCollection
        The samples of each class.
    boundary_ : list of matplotlib artists
        What separates the classes: one line or one plane for two classes, one contour for
        each of more classes, empty if there is none to draw.

    See Also
    --------
    HiddenUnitsDisplay : The same network seen in the space of the features.

    Examples
    --------
    >>> from sklearn.datasets import make_circles
    >>> from sk_mlp import ProjectionDisplay, TwoLayerMLPClassifier
    >>> X, y = make_circles(noise=0.1, factor=0.4, random_state=0)
    >>> network = TwoLayerMLPClassifier(hidden_units=3, random_state=0).fit(X, y)
    >>> display = ProjectionDisplay.from_estimator(network, X, y)
    >>> display.projection.shape
    (100, 3)
    """

    __module__ = "sk_mlp"

    projection: np.ndarray
    y: np.ndarray | None
    classes: np.ndarray
    axis_labels: list[str]
    coefs: np.ndarray | None = None
    intercept: np.ndarray | None = None

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: Any = None, *, ax: Any = None, scatter_kw: Properties = None
    ) -> Self:
        """Draw the hidden layer of a fitted network.

        Parameters
        ----------
        estimator : estimator of sk_mlp, Pipeline or search
            Fitted. The last step of a Pipeline is drawn, and the `best_estimator_` of a search.
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Samples.
        y : array-like of shape (n_samples,), default=None
            Their labels. None draws all samples alike.
        ax : matplotlib Axes, default=None
            Where to draw, with ``projection="3d"`` for three hidden units; None makes a new figure.
        scatter_kw : dict, default=None
            Passed to :meth:`matplotlib.axes.Axes.scatter`.

        Returns
        -------
        ProjectionDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the network has one hidden unit, or X, y or `ax` do not fit the network.
        """
        view = NetworkView(estimator, cls.__name__, X, y)
        H, coefs = view.H, view.W2
        n_units, n_outputs = coefs.shape
        if n_units == 1:
            raise ValueError(f"{cls.__name__} needs at least two hidden units, got 1.")
        if n_units <= 3:
            labels = [rf"hidden unit {j}: $\varphi_{j}(x)$" for j in range(n_units)]
        else:
            axes, names = _projection_axes(H, coefs)
            # what rounding leaves is no variance
            constant = 1e-12 * np.square(H).sum(axis=1).mean()
            shares = (H @ axes.T).var(axis=0) / max(H.var(axis=0).sum(), constant or 1.0)
            labels = [f"{n} ({s:.0%} of variance)" for n, s in zip(names, shares, strict=True)]
            H, coefs = H @ axes.T, axes @ coefs
        drawable = n_outputs == 1 or (n_units == 2 and not view.multilabel)
        return cls(
            projection=H,
            y=view.y,
            classes=view.classes,
            axis_labels=labels,
            coefs=coefs if drawable else None,
            intercept=view.b2 if drawable else None,
        ).plot(ax=ax, scatter_kw=scatter_kw)

    def plot(self, ax: Any = None, *, scatter_kw: Properties = None) -> Self:
        """Draw the samples and the boundary.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw, with ``projection="3d"`` for three hidden units; None makes a new figure.
        scatter_kw : dict, default=None
            Passed to :meth:`matplotlib.axes.Axes.scatter`.

        Returns
        -------
        ProjectionDisplay
            The display itself.

        Raises
        ------
        ValueError
            If `ax` does not have the number of dimensions of the projection.
        """
        solid = self.projection.shape[1] == 3
        if ax is not None and (ax.name == "3d") != solid:
            needed = 'three-dimensional (projection="3d")' if solid else "two-dimensional"
            raise ValueError(
                f"a projection to {self.projection.shape[1]} axes needs a {needed} ax, got one "
                f"of projection {ax.name!r}."
            )
        ax = self._set_axes(ax, subplot_kw={"projection": "3d"} if solid else None)
        self.scatters_ = self._draw_samples(self.projection, self.y, self.classes, scatter_kw)
        box = limits(self.projection)
        self.boundary_ = []
        if self.coefs is not None and self.intercept is not None:
            draw = self._draw_plane if solid else self._draw_regions
            self.boundary_ = draw(box, self.coefs, self.intercept)
        for axis, low, high, label in zip("xyz", *box, self.axis_labels, strict=False):
            ax.set(**{f"{axis}lim": (low, high), f"{axis}label": label})
        if solid:
            ax.locator_params(nbins=4)
            ax.set_box_aspect(BOX_ASPECT, zoom=0.88)  # layouts do not count the labels of such axes
        self._add_legend()
        return self

    def _draw_regions(self, box: np.ndarray, coefs: np.ndarray, intercept: np.ndarray) -> list[Any]:
        regions = class_regions(lambda Z: Z @ coefs + intercept, box)
        if len(intercept) > 1:
            return self._fill_regions(*regions, outline="boundary")
        self._fill_regions(*regions)
        ends = box_section(coefs[:, 0], intercept[0], box)
        if not len(ends):
            return []
        return [*self.ax_.plot(*ends.T, label="separating line", zorder=2, **BOUNDARY)]

    def _draw_plane(self, box: np.ndarray, coefs: np.ndarray, intercept: np.ndarray) -> list[Any]:
        from mpl_toolkits.mplot3d.art3d import Poly3DCollection

        corners = box_section(coefs[:, 0], intercept[0], box)
        if not len(corners):
            return []
        # From slightly above and nearly along the plane. The cosine of the angle between the view
        # and the normal is 0.2: at 0 the plane is a line, at 1 it hides what is behind it.
        normal = coefs[:, 0] * (box[1] - box[0]) / BOX_ASPECT
        x, y, z = normal / np.copysign(np.linalg.norm(normal), normal[2])
        across = max(np.hypot(x, y) * np.cos(ELEVATION), 1e-9)
        turn = np.arccos(np.clip((0.2 - z * np.sin(ELEVATION)) / across, -1, 1))
        self.ax_.view_init(*np.degrees([ELEVATION, np.arctan2(y, x) - turn]))
        look = {"facecolor": "0.5", "edgecolor": "black", "alpha": 0.3}
        plane = Poly3DCollection([corners], label="separating plane", **look)
        return [self.ax_.add_collection3d(plane)]


@np.errstate(invalid="ignore")  # the share of a component in no variance
def _projection_axes(H: np.ndarray, coefs: np.ndarray) -> tuple[np.ndarray, list[str]]:
    """Return two orthonormal axes, shape (2, hidden_units), to project H on, and their names."""
    H = H if len(H) > 1 else np.repeat(H, 2, axis=0)
    if coefs.shape[1] > 1:
        axes = PCA(2, svd_solver="covariance_eigh").fit(H).components_
        return axes, [rf"component {i} of $\varphi(x)$" for i in (0, 1)]
    across = coefs / (np.linalg.norm(coefs) or 1.0)
    along = PCA(1, svd_solver="covariance_eigh").fit(H - H @ across @ across.T).components_
    names = [r"$\varphi(x)$ across the boundary", "along it, main component"]
    return np.concatenate([across.T, along]), names
