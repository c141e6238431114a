"""Draw the training and validation loss."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from sk_mlp._displays.display import CHOICE, COLORS, GREY, Display, Properties, legend_label
from sk_mlp._displays.network_view import unwrap


@dataclass(kw_only=True, repr=False, eq=False)
class LossCurveDisplay(Display):
    """Training and validation loss by iteration.

    It is recommended to use :meth:`from_estimator` to create a display. All parameters are
    stored as attributes. Read more in the :ref:`User Guide <pictures>`.

    Parameters
    ----------
    loss : sequence of float of shape (n_iter,)
        Training loss after each iteration (epoch), penalty included, in nats per unit of
        sample weight.
    validation_loss : sequence of float of shape (n_iter,), default=None
        Loss on the validation data, without penalty, in the same unit.
    best_iter : int, default=0
        Iteration, counted from 1, whose weights were kept; 0 marks none.
    other_starts : sequence of float, default=()
        Last known training loss of each random start that was not the best.
    name : str, default=None
        Name of the estimator, put in front of the entries of the legend.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where the curves are.
    lines_ : list of matplotlib Line2D
        Training loss and, if there is one, validation loss.
    best_ : matplotlib Line2D or None
        The markers at the best iteration.
    other_starts_ : list of matplotlib Line2D
        A horizontal line for each other start.

    See Also
    --------
    AlphaPathDisplay : Held-out score by alpha.

    Examples
    --------
    >>> from sklearn.datasets import make_circles
    >>> from sk_mlp import LossCurveDisplay, TwoLayerMLPClassifier
    >>> X, y = make_circles(noise=0.1, factor=0.4, random_state=0)
    >>> network = TwoLayerMLPClassifier(hidden_units=3, random_state=0).fit(X, y)
    >>> display = LossCurveDisplay.from_estimator(network)
    >>> display.ax_.get_xlabel()
    'iteration or epoch'
    """

    __module__ = "sk_mlp"

    loss: Sequence[float]
    validation_loss: Sequence[float] | None = None
    best_iter: int = 0
    other_starts: Sequence[float] = ()
    name: str | None = None

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        *,
        name: str | None = None,
        ax: Any = None,
        curve_kwargs: Properties = None,
    ) -> Self:
        """Draw the curves of a fitted network.

        Parameters
        ----------
        estimator : estimator of sk_mlp, Pipeline or search
            Fitted; a search is drawn as its `best_estimator_`.
        name : str, default=None
            Put in front of the entries of the legend, if several networks share an `ax`.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        curve_kwargs : dict, default=None
            Passed to :meth:`matplotlib.axes.Axes.plot` for both curves.

        Returns
        -------
        LossCurveDisplay
            The display, drawn.
        """
        network = unwrap(estimator, cls.__name__)[0]
        others = list(network.n_init_losses_)
        if network.loss_ in others:
            others.remove(network.loss_)
        return cls(
            loss=network.loss_curve_,
            validation_loss=getattr(network, "validation_loss_curve_", None),
            best_iter=network.best_iter_,
            other_starts=others,
            name=name,
        ).plot(ax=ax, curve_kwargs=curve_kwargs)

    def plot(self, ax: Any = None, *, curve_kwargs: Properties = None) -> Self:
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        curve_kwargs : dict, default=None
            Passed to :meth:`matplotlib.axes.Axes.plot` for both curves.

        Returns
        -------
        LossCurveDisplay
            The display itself.
        """
        ax = self._set_axes(ax)
        prefix = "" if self.name is None else f"{self.name}: "
        self.lines_ = []
        for label, values, color, style in (
            ("training (with penalty)", self.loss, COLORS[0], "-"),
            ("validation", self.validation_loss, COLORS[3], "--"),
        ):
            if values is not None:
                look = {"color": color, "linestyle": style, "label": legend_label(prefix + label)}
                iterations = range(1, len(values) + 1)
                self.lines_.append(self._draw_curve(iterations, values, look, curve_kwargs))
        self.best_ = None
        if self.best_iter > 0:
            heights = [line.get_ydata()[self.best_iter - 1] for line in self.lines_]
            label = legend_label(f"{prefix}best iteration ({self.best_iter})")
            at = [self.best_iter] * len(heights)
            (self.best_,) = ax.plot(at, heights, label=label, markersize=12, **CHOICE)
        self.other_starts_ = [
            ax.axhline(loss, color=GREY, alpha=0.5, linewidth=0.7, zorder=1)
            for loss in self.other_starts
        ]
        if self.other_starts_:
            self.other_starts_[0].set_label(legend_label(f"{prefix}other starts"))
        ax.set(xlabel="iteration or epoch", ylabel="loss [nats per unit of weight]")
        self._add_legend()
        return self
