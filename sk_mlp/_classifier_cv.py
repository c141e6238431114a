"""TwoLayerMLPClassifierCV."""

import math
import warnings
from functools import partial
from numbers import Integral, Real
from typing import Any, ClassVar, NamedTuple

import numpy as np
from sklearn.metrics import check_scoring, get_scorer_names
from sklearn.model_selection import check_cv
from sklearn.utils import check_random_state

from sk_mlp._backend.compat import accepts_sample_weight, check_sample_weight
from sk_mlp._callbacks import CallbackTasks, with_callbacks
from sk_mlp._classifier import TwoLayerMLPClassifier
from sk_mlp._data.data import Data, fitted_network, validate
from sk_mlp._data.holdout import check_splits, key_folds, repetitions, row_keys, some_rows
from sk_mlp._predictor import TwoLayerPredictor
from sk_mlp._reporting import Reporter, warn_if_useless, warn_unless_converged
from sk_mlp._training.alpha import N_FOLDS, USED_FOLDS
from sk_mlp._training.folds import Fold, Score, Scorer, Walk, log_loss_score, make_fold
from sk_mlp._training.path import PathScores, path
from sk_mlp._training.settings import Size, resolve, solver_of_search
from sk_mlp._training.training import Finished, quietly
from sk_mlp._types import Activation, Solver
from sk_mlp._validation import (
    CONSTRAINTS,
    COUNT,
    Choice,
    Numbers,
    check_parameters,
    unchanged_on_error,
)

# On iris, wine, breast_cancer and digits the best of these ten is between .2 and 5, and the log-loss
# of its neighbours up to 25 % above.
LARGEST_ALPHA, SMALLEST_ALPHA = 100.0, 0.01
# Five folds are no better than three. Above 3000 rows two of the three are as good, with 50 rows of
# every class held out in each; a single one is not (penbased: log-loss .076 instead of .044).
HOLD_OUT_ROWS, HOLD_OUT_CLASS = 3_000, 50
# As for alpha="auto", more rows than this do not make a better choice.
SEARCH_ROWS = 5_000
# Of the log-loss with 100 units alone, 300 beside them leave .92 on four sets of more than 10 000
# rows (letter .77), for three times the time, and 1.00 on 29 smaller ones.
UNITS, MORE_UNITS_ROWS = (100, 300), 10_000
# Where 100 units want more penalty than this for each unit of weight, the data are noisy and more
# units are no better: adult .3175 and .3064 with 300 at alpha=32, .3197 and .3065 with 100.
NOISY = 10.0
# of the networks that are compared
SAME_OPTIONS = ("activation", "standardize", "class_weight", "max_iter", "tol", "verbose")


class TwoLayerMLPClassifierCV(TwoLayerPredictor):
    """Two-layer perceptron classifier that tunes itself by cross-validation.

    It is to :class:`TwoLayerMLPClassifier` what
    :class:`~sklearn.linear_model.LogisticRegressionCV` is to
    :class:`~sklearn.linear_model.LogisticRegression`: it chooses alpha and hidden_units by
    cross-validation and fits the network to all data with them. The search starts from
    the alpha in the middle. It stops lowering alpha once the mean score stops improving, and stops
    raising it once the score is clearly worse. Every network starts from the weights of the
    neighbouring alpha and is trained, in single precision, until it can be ranked. Read more in the
    :ref:`User Guide <cross_validation>`.

    Parameters
    ----------
    hidden_units : int, sequence of int or "auto", default="auto"
        Numbers of hidden units to choose from. "auto" is 100, or 100 and 300 for more than
        10 000 rows, unless the best alpha for 100 units is above 10 times the mean weight.
    alphas : int or sequence of float, default=10
        Penalties to choose from; an int n means n log-spaced values from 100 down to 0.01 (1
        is 100 alone). For one alpha pass ``[alpha]``.
    cv : int, cross-validation generator, iterable of splits or None, default=None
        Splits to score on. None is 3 stratified folds in which equal rows stay together, or two
        of them if there are more than 3000 rows and at least 50 held out of the rarest class. At
        most 5000 distinct rows are then used to choose, unless `refit` is False.
    scoring : str, callable or None, default="neg_log_loss"
        Score to choose by. None is accuracy. Sample weights count if it takes them. The method
        `score` returns the accuracy in any case.
    refit : bool, default=True
        Fit the chosen network to all data. If False, it is fitted to the training rows of the fold
        in which it scored best, which must have all classes.
    n_jobs : int or None, default=None
        Number of folds computed at the same time, in threads. None is 1, unless in a
        :func:`joblib.parallel_config` context; large data use all cores even so.
    activation : {"identity", "logistic", "tanh", "relu", "leaky_relu", "gelu", "silu"}, \
            default="relu"
        Activation of the hidden layer.
    solver : {"auto", "lbfgs", "adam", "sgd"}, default="auto"
        "auto" is "lbfgs" for up to 10 000 rows, and "adam" for more and for text-like data with
        more than a quarter as many columns as rows. For the search, the rows that are used to
        choose count (see `cv`). With a minibatch solver each alpha is fitted afresh.
    standardize : bool, default=True
        See :class:`TwoLayerMLPClassifier`.
    class_weight : dict, "balanced" or None, default=None
        Weight of each class in the fits; scores are weighted by `sample_weight` alone.
    max_iter : int or None, default=None
        Limit of the final fit, and with "adam" and "sgd" also of the fits of the search; see
        :class:`TwoLayerMLPClassifier`. With None, the minimum for the final fit is 64 epochs.
    tol : float, default=3e-5
        Tolerance of the same fits; see :class:`TwoLayerMLPClassifier`.
    random_state : int, RandomState instance or None, default=None
        Determines the splits, the random starts and the order of the rows. Pass an int for
        repeatable results.
    verbose : int, default=0
        1 prints a line for each alpha and selected iterations of the final fit.

    Attributes
    ----------
    alpha_ : float
        The chosen alpha: the largest whose mean score is within one standard error of the best one,
        over the held-out rows for the default score, over the folds for others. If fewer than half
        of the distinct rows were used to choose, it is the alpha of the best score. Log-losses are
        compared as if one more row had a random label; see the :ref:`User Guide <cross_validation>`.
    hidden_units_ : int
        The chosen number of hidden units: that of the best mean score.
    alphas_ : ndarray of shape (n_alphas,)
        The alphas to choose from, in decreasing order.
    scores_ : ndarray of shape (n_hidden_units, n_folds, n_alphas)
        Held-out scores of the numbers of hidden units tried; NaN for alphas not tried.
    best_score_ : float
        Mean score of the choice.
    classes_ : ndarray of shape (n_classes,)
        Class labels; for multilabel targets the column numbers.
    coefs_ : list of two arrays
        Weights of the network; see :class:`TwoLayerMLPClassifier`, as for all attributes below.
    intercepts_ : list of two arrays
        Intercepts of the network.
    out_activation_ : {"logistic", "softmax"}
        Output units.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X had any and all are strings.
    feature_importances_ : ndarray of shape (n_features,)
        Share of each feature in the output; see :class:`TwoLayerMLPClassifier`.
    loss_ : float
        Objective of the final fit.
    loss_curve_ : list of float
        Objective after each iteration of the final fit.
    n_iter_ : int
        Iterations (epochs) of the final fit.
    best_iter_ : int
        The iteration whose weights were returned.
    converged_ : bool
        True if the final fit converged.
    stop_reason_ : str
        Why the final fit ended.
    n_init_losses_ : list of float
        Losses of the random starts of the final fit.

    See Also
    --------
    TwoLayerMLPClassifier : The network without the search; tunes alpha alone.
    sklearn.model_selection.GridSearchCV : Searches any parameter, also of a whole pipeline.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sk_mlp import TwoLayerMLPClassifierCV
    >>> X, y = load_wine(return_X_y=True)
    >>> clf = TwoLayerMLPClassifierCV(hidden_units=(10, 30), random_state=0).fit(X, y)
    >>> clf.hidden_units_ in (10, 30), clf.alphas_.shape, clf.scores_.shape
    (True, (10,), (2, 3, 10))
    >>> clf.score(X, y) > 0.98
    True
    """

    __module__ = "sk_mlp"

    _parameter_constraints: ClassVar = {
        **{name: CONSTRAINTS[name] for name in (*SAME_OPTIONS, "solver", "random_state")},
        "hidden_units": [Choice("auto"), Numbers(Integral, 1, None, closed="left")],
        "alphas": [COUNT, Numbers(Real, 0, None, closed="left")],
        "scoring": [Choice(*get_scorer_names()), callable, None],
        "refit": ["boolean"],
        "n_jobs": [None, Integral],
    }

    def __init__(
        self,
        hidden_units: Any = "auto",
        *,
        alphas: Any = 10,
        cv: Any = None,
        scoring: Any = "neg_log_loss",
        refit: bool = True,
        n_jobs: int | None = None,
        activation: Activation = "relu",
        solver: Solver = "auto",
        standardize: bool = True,
        class_weight: Any = None,
        max_iter: int | None = None,
        tol: float = 3e-5,
        random_state: Any = None,
        verbose: int | bool = 0,
    ) -> None:
        self.hidden_units = hidden_units
        self.alphas = alphas
        self.cv = cv
        self.scoring = scoring
        self.refit = refit
        self.n_jobs = n_jobs
        self.activation = activation
        self.solver = solver
        self.standardize = standardize
        self.class_weight = class_weight
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.array_api_support = False
        return tags

    def fit(
        self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None
    ) -> "TwoLayerMLPClassifierCV":
        """Choose alpha and hidden_units and fit the network to all data.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Training data.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Class labels, or indicators of labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, not negative, of the fits and of the scores.
        groups : array-like of shape (n_samples,), default=None
            Groups of rows, passed to the splitter.

        Returns
        -------
        self : TwoLayerMLPClassifierCV
            The fitted estimator.

        Raises
        ------
        ValueError, TypeError
            If a parameter or the data cannot be used. A fitted estimator is then as it was.
        """
        check_parameters(self)
        if groups is not None and self.cv is None:
            warnings.warn(
                "groups are ignored by the default splits; pass cv=GroupKFold(), for example.",
                UserWarning,
                stacklevel=2,
            )
        with unchanged_on_error(self):
            fit = self._fit(X, y, sample_weight, groups)
            warn_if_useless(self, fit)
            warn_unless_converged(self, fit)
        return self

    @property
    def _auto(self) -> bool:
        return isinstance(self.hidden_units, str) and self.hidden_units == "auto"

    def _grid(self) -> np.ndarray:
        """Alphas to choose from, in decreasing order."""
        if COUNT.is_satisfied_by(self.alphas):  # zero is a penalty
            return np.geomspace(LARGEST_ALPHA, SMALLEST_ALPHA, self.alphas)
        return np.sort(np.atleast_1d(np.asarray(self.alphas, dtype=np.float64)))[::-1]

    @with_callbacks
    @quietly
    def _fit(self, X: Any, y: Any, sample_weight: Any, groups: Any) -> Finished:
        tasks = CallbackTasks(self, X, y, sample_weight)
        data = validate(self, X, y, sample_weight)
        score_weight = None
        if sample_weight is not None:
            sample_weight = score_weight = check_sample_weight(sample_weight, data.X)
            if self.cv is None and not sample_weight.all():  # splits of the rows that count
                counting = np.flatnonzero(sample_weight)
                data, score_weight = data.take(counting), sample_weight[counting]
        seed = int(check_random_state(self.random_state).randint(2**31 - 1))
        rows, alphas = self._rows(data, score_weight, groups, seed), self._grid()
        networks = self._candidates(data, seed)
        tasks.begin("fit", len(networks) + 1)
        paths = self._walk(networks, alphas, rows, tasks)
        i = int(np.argmax([scores.means.max() for scores in paths]))
        if not np.isfinite(paths[i].means).any():
            raise ValueError(
                f"scoring={self.scoring!r} gave no finite score on these splits. If it is because every "
                "fit diverged, rescale X, use standardize=True or pass smaller alphas."
            )
        j = paths[i].best(rows.share)
        network = networks[i].set_params(alpha=float(alphas[j]))
        best_split = int(np.argmax(paths[i].values[:, j]))
        final = (X, y, sample_weight) if self.refit else rows.of_split(best_split)
        with tasks.sub_fit("refit", network):
            fit: Finished = network._fit(*final, tuned=True)
        self.__dict__.update((name, v) for name, v in vars(network).items() if name.endswith("_"))
        self.alphas_ = alphas
        self.alpha_, self.hidden_units_ = network.alpha, network.hidden_units
        self.scores_ = np.stack([scores.values for scores in paths])
        self.best_score_ = float(paths[i].means[j])
        tasks.end({})
        return fit

    def _walk(
        self,
        networks: list[TwoLayerMLPClassifier],
        alphas: np.ndarray,
        rows: "_Scored",
        tasks: CallbackTasks,
    ) -> list[PathScores]:
        """Held-out scores of each network that was tried."""
        reporter = Reporter("path", int(self.verbose)) if self.verbose else None
        scorer, paths = self._scorer(rows), []
        for network in networks:
            tasks.begin("path", len(alphas))
            folds, walk = self._folds(network, rows, scorer)
            paths.append(scores := PathScores(folds, len(alphas), rows.groups))
            begin = partial(tasks.begin, "alpha")
            for j, at_alpha in path(folds, alphas, walk, n_jobs=self.n_jobs, begin=begin):
                scores.add(j, at_alpha)
                if reporter is not None:
                    reporter.print(
                        f"hidden_units {network.hidden_units}  alpha {alphas[j]:.3g}  "
                        f"score {scores.values[:, j].mean():.5f}"
                    )
                if tasks.end():
                    break
            if tasks.end() or (self._auto and _noisy(scores, alphas, rows.data)):
                break
        return paths

    def _candidates(self, data: Data, seed: int) -> list[TwoLayerMLPClassifier]:
        units = units_of(self.hidden_units)
        if self._auto and data.X.shape[0] <= MORE_UNITS_ROWS:
            units = units[:1]
        options = {name: getattr(self, name) for name in SAME_OPTIONS}
        solver = solver_of_search(self.solver, data.X.shape[0], text=data.is_short_text)
        options |= {"solver": solver, "random_state": seed}
        return [TwoLayerMLPClassifier(int(hidden_units), **options) for hidden_units in units]

    def _rows(
        self, data: Data, sample_weight: np.ndarray | None, groups: Any, seed: int
    ) -> "_Scored":
        if self.cv is not None:
            share, keys = 1.0, row_keys(data.X, np.random.RandomState(seed))
            try:
                splitter = check_cv(self.cv, data.target.encoded, classifier=True)
                splits = list(splitter.split(data.X, data.target.labels, groups))
            except (TypeError, ValueError) as error:
                raise ValueError(f"cv={self.cv!r} cannot split X, y: {error}") from error
        else:
            enough = SEARCH_ROWS if self.refit else math.inf
            kept, keys, share, _ = some_rows(data.X, data.target.encoded, enough, seed)
            if len(kept) < data.X.shape[0]:
                data = data.take(kept)
                sample_weight = None if sample_weight is None else sample_weight[kept]
            splits = key_folds(data.target, keys, N_FOLDS)
            if not splits:
                raise ValueError(
                    f"X has {len(kept)} rows that are all equal: none can be held out; pass cv to "
                    "split them."
                )
            rarest = np.bincount(data.target.codes).min()
            if len(kept) > HOLD_OUT_ROWS and rarest >= N_FOLDS * HOLD_OUT_CLASS:
                splits = splits[:USED_FOLDS]
        splits = check_splits(splits, len(keys), self.cv, sample_weight)
        numbers = repetitions(data.target.encoded, keys)
        return _Scored(data, data.target.labels, sample_weight, splits, share, numbers)

    def _folds(
        self, network: TwoLayerMLPClassifier, rows: "_Scored", scorer: Scorer
    ) -> tuple[list[Fold], Walk]:
        """Folds of a network, and how its path is walked."""
        data, seed = rows.data, network.random_state
        text, layout = data.is_short_text, data.layout(network.hidden_units)
        solver = solver_of_search(self.solver, data.X.shape[0], text=text)
        options = {**network.get_params(), "solver": solver}
        settings = resolve(options, Size(len(rows.splits[0][0]), layout, text=text))
        walk = Walk(settings._replace(n_init=1), seed, scorer)
        weights = rows.sample_weight
        return [make_fold(data, split, options, walk, weights) for split in rows.splits], walk

    def _scorer(self, rows: "_Scored") -> Scorer:
        data, labels, sample_weight = rows[:3]
        if self.scoring == "neg_log_loss":
            held_out = np.concatenate([test_rows for _, test_rows in rows.splits])
            if sample_weight is not None:
                held_out = held_out[sample_weight[held_out] > 0]
            return partial(log_loss_score, surprise=1.0 / len(np.unique(rows.groups[held_out])))

        def score(fold: Fold, params: np.ndarray) -> Score:
            layout, rows = fold.objective.network.layout, fold.test_rows
            network = TwoLayerMLPClassifier(layout.hidden_units, activation=self.activation)
            user = fold.standardization.to_user_units(layout, params)
            network.__dict__.update(fitted_network(user, layout, data))
            network.n_features_in_ = layout.n_features
            scoring = check_scoring(network, scoring=self.scoring)
            weights = {}
            if sample_weight is not None and accepts_sample_weight(scoring):
                weights["sample_weight"] = sample_weight[rows]
            try:
                return Score(float(scoring(network, data.X[rows], labels[rows], **weights)))
            except ValueError as error:
                raise ValueError(f"scoring={self.scoring!r} cannot be used: {error}") from error

        return score


def units_of(hidden_units: Any) -> list[int]:
    """Return the numbers of hidden units that the option of that name asks to try."""
    asked = UNITS if isinstance(hidden_units, str) else hidden_units
    units: list[int] = np.atleast_1d(asked).tolist()
    return units


def _noisy(scores: PathScores, alphas: np.ndarray, data: Data) -> bool:
    weight = 1.0 if data.weights is None else float(np.mean(data.weights))
    return bool(alphas[np.argmax(scores.merits)] > NOISY * weight)


class _Scored(NamedTuple):
    """Rows that networks are scored on.

    Attributes
    ----------
    data : Data
        With the weights of the fits.
    labels : ndarray of shape (n_samples,) or (n_samples, n_labels)
        As a splitter and a score take them.
    sample_weight : ndarray of shape (n_samples,) or None
        Weights of the scores.
    splits : list of (train_rows, test_rows)
    share : float
        Of all distinct rows.
    groups : int ndarray of shape (n_samples,)
        Number of each row with its label, the same for repetitions.
    """

    data: Data
    labels: np.ndarray
    sample_weight: np.ndarray | None
    splits: list[tuple[np.ndarray, np.ndarray]]
    share: float
    groups: np.ndarray

    def of_split(self, number: int) -> tuple[Any, np.ndarray, np.ndarray | None]:
        """X, labels and weights to train on of a split, which must have all classes."""
        rows, weights = self.splits[number][0], self.sample_weight
        missing = np.setdiff1d(self.labels, self.labels[rows])
        if missing.size and not self.data.target.multilabel:
            raise ValueError(
                f"refit=False needs every class in split {number} of cv, which scored best; "
                f"it has no row of {missing.tolist()} to train on."
            )
        return self.data.X[rows], self.labels[rows], None if weights is None else weights[rows]
