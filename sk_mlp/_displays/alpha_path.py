"""Draw the held-out scores among which alpha was chosen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from sk_mlp._backend.compat import to_host
from sk_mlp._classifier_cv import units_of
from sk_mlp._displays.display import CHOICE, Display, Properties, class_look
from sk_mlp._displays.network_view import unwrap


@dataclass(kw_only=True, repr=False, eq=False)
class AlphaPathDisplay(Display):
    """Held-out score by alpha, one line for each number of hidden units.

    Lines are means over the folds, bands plus and minus one standard deviation; a single fold has
    no band. Alphas not tried are left out. A star marks the choice.

    It is recommended to use :meth:`from_estimator` to create a display. All parameters are
    stored as attributes. Read more in the :ref:`User Guide <pictures>`.

    Parameters
    ----------
    alphas : ndarray of shape (n_alphas,)
        Penalties.
    scores : ndarray of shape (n_hidden_units, n_folds, n_alphas)
        Held-out scores, higher is better; NaN for alphas not tried.
    hidden_units : sequence of int of shape (n_hidden_units,)
        Numbers of hidden units.
    alpha : float
        The chosen alpha.
    best_hidden_units : int
        The chosen number of hidden units.
    score_name : str, default="score"
        Name of the score.

    Attributes
    ----------
    ax_, figure_ : matplotlib Axes and Figure
        Where the lines are.
    lines_ : list of matplotlib Line2D
        Mean score of each number of hidden units.
    fill_between_ : list of matplotlib PolyCollection
        Spread over the folds of each number of hidden units; empty for a single fold.
    choice_ : matplotlib Line2D
        The star at the chosen alpha and number of hidden units.

    See Also
    --------
    TwoLayerMLPClassifierCV : Chooses alpha and hidden_units by cross-validation.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sk_mlp import AlphaPathDisplay, TwoLayerMLPClassifierCV
    >>> X, y = load_wine(return_X_y=True)
    >>> search = TwoLayerMLPClassifierCV(hidden_units=(2, 10), random_state=0).fit(X, y)
    >>> display = AlphaPathDisplay.from_estimator(search)
    >>> [line.get_label() for line in display.lines_]
    ['2 hidden units', '10 hidden units']
    """

    __module__ = "sk_mlp"

    alphas: np.ndarray
    scores: np.ndarray
    hidden_units: Sequence[int]
    alpha: float
    best_hidden_units: int
    score_name: str = "score"

    @classmethod
    def from_estimator(
        cls, estimator: Any, *, ax: Any = None, curve_kwargs: Properties = None
    ) -> Self:
        """Draw the scores among which a fitted estimator chose.

        Parameters
        ----------
        estimator : estimator of sk_mlp, Pipeline or search
            Fitted: `TwoLayerMLPClassifierCV`, or `TwoLayerMLPClassifier` with ``alpha="auto"``.
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        curve_kwargs : dict, default=None
            Passed to :meth:`matplotlib.axes.Axes.plot` for every line.

        Returns
        -------
        AlphaPathDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If `estimator` did not choose its alpha.
        """
        network = unwrap(estimator, cls.__name__)[0]
        if hasattr(network, "scores_"):
            scores, scoring = network.scores_, network.scoring
            # of those asked for, what "auto" or a callback left
            units, best = units_of(network.hidden_units)[: len(scores)], network.hidden_units_
        elif hasattr(network, "alpha_scores_"):
            scores, scoring = to_host(network.alpha_scores_)[None], "neg_log_loss"
            units, best = [network.hidden_units], network.hidden_units
        else:
            how = "partial_fit" if network.alpha == "auto" else f"alpha={network.alpha!r}"
            raise ValueError(
                f"{cls.__name__} needs a choice to draw, and this {type(network).__name__} was "
                f'fitted with {how}. Use fit with alpha="auto" or TwoLayerMLPClassifierCV.'
            )
        return cls(
            alphas=to_host(network.alphas_),
            scores=scores,
            hidden_units=units,
            alpha=network.alpha_,
            best_hidden_units=best,
            score_name=_name(scoring),
        ).plot(ax=ax, curve_kwargs=curve_kwargs)

    def plot(self, ax: Any = None, *, curve_kwargs: Properties = None) -> Self:
        """Draw the scores.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to draw; None makes a new figure.
        curve_kwargs : dict, default=None
            Passed to :meth:`matplotlib.axes.Axes.plot` for every line.

        Returns
        -------
        AlphaPathDisplay
            The display itself.
        """
        ax = self._set_axes(ax)
        order = np.argsort(self.alphas)
        alphas, scores = self.alphas[order], self.scores[..., order]
        means, spreads = scores.mean(axis=1), scores.std(axis=1)
        self.lines_: list[Any] = []
        self.fill_between_: list[Any] = []
        for k, units in enumerate(self.hidden_units):
            tried = np.isfinite(means[k])
            x, y, std = alphas[tried], means[k, tried], spreads[k, tried]
            label = f"{units} hidden unit{'s' if units != 1 else ''}"
            look = {**class_look(k), "markersize": 5, "label": label}
            self.lines_.append(line := self._draw_curve(x, y, look, curve_kwargs))
            if scores.shape[1] > 1:
                look = {"color": line.get_color(), "alpha": 0.15, "linewidth": 0}
                self.fill_between_.append(ax.fill_between(x, y - std, y + std, **look))
        best = list(self.hidden_units).index(self.best_hidden_units)
        score = means[best, np.argmin(np.abs(alphas - self.alpha))]
        look = {"label": f"choice: alpha={self.alpha:.3g}", "markersize": 14, "zorder": 4}
        (self.choice_,) = ax.plot([self.alpha], [score], **look, **CHOICE)
        positive = self.alphas[self.alphas > 0]
        if len(positive) == len(self.alphas):
            ax.set_xscale("log")
        else:  # zero has its place left of the smallest
            ax.set_xscale("symlog", linthresh=positive.min(initial=1.0))
        ax.set_xlabel("alpha")
        ax.set_ylabel(f"held-out {self.score_name}", parse_math=False)
        self._add_legend()
        return self


def _name(scoring: Any) -> str:
    if isinstance(scoring, str):
        return "negative log-loss" if scoring == "neg_log_loss" else scoring
    return "accuracy" if scoring is None else str(getattr(scoring, "__name__", "score"))
