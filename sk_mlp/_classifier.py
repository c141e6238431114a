"""TwoLayerMLPClassifier."""

from functools import partial
from typing import Any, Literal

import numpy as np
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if

from sk_mlp._backend.arrays import place, to_numpy, widest_float
from sk_mlp._backend.compat import to_host
from sk_mlp._callbacks import CallbackTasks, with_callbacks
from sk_mlp._data.data import Data, fitted_network, validate, validate_held_out
from sk_mlp._data.holdout import split_keys, stratified_holdout
from sk_mlp._data.targets import stream_classes
from sk_mlp._network.objective import Rows
from sk_mlp._predictor import TwoLayerPredictor
from sk_mlp._reporting import Reporter, iteration_name, warn_if_useless, warn_unless_converged
from sk_mlp._training.alpha import AlphaChoice, choose_alpha
from sk_mlp._training.importance import feature_importances
from sk_mlp._training.settings import Settings
from sk_mlp._training.starts import Watch
from sk_mlp._training.stream import next_pass
from sk_mlp._training.training import (
    Finished,
    TrainingSet,
    finish,
    quietly,
    random_starts,
    settle,
    train,
    validation_loss,
)
from sk_mlp._types import Activation, LearningRate, Solver
from sk_mlp._validation import (
    CONSTRAINTS,
    check_parameters,
    check_same_network,
    options_of,
    unchanged_on_error,
)

NOTHING = (None, None, None)  # of X_val, y_val and sample_weight_val


def _has_partial_fit(estimator: "TwoLayerMLPClassifier") -> bool:
    if estimator.solver == "lbfgs":
        raise AttributeError("partial_fit needs solver='adam' or 'sgd'; got solver='lbfgs'.")
    return True


class TwoLayerMLPClassifier(TwoLayerPredictor):
    """Two-layer perceptron classifier.

    A network with one hidden layer, trained on cross-entropy::

        hidden layer    phi(x) = g(x W1 + b1)              transform
        raw prediction  s(x)   = phi(x) W2 + b2            decision_function
        probability     p(x)   = sigmoid(s) or softmax(s)  predict_proba

    There is one logistic output for two classes, softmax outputs for more, and one logistic
    output per label for multilabel indicators.

    Every solver and batch size minimises the same objective, for sample weights s_i (times
    class weights)::

        loss = (sum_i s_i CE(y_i, s(x_i)) + alpha/2 (|V1|^2 + |W2|^2)) / sum_i s_i

    where V1 is W1 in standardised units (see `standardize`). The intercepts are not penalised.
    Read more in the :ref:`User Guide <getting_started>`.

    Parameters
    ----------
    hidden_units : int, default=100
        Number of hidden units.
    activation : {"identity", "logistic", "tanh", "relu", "leaky_relu", "gelu", "silu"}, \
            default="relu"
        Activation g of the hidden layer. "leaky_relu" has slope 0.01 for negative input; "gelu"
        is its tanh form. With "identity" the model is linear in x.
    solver : {"auto", "lbfgs", "adam", "sgd"}, default="auto"
        "lbfgs" uses all rows for every iteration, converges to a local minimum and is repeatable
        to rounding. "adam" and "sgd" make a step for every batch of rows. "auto" is "lbfgs" for
        up to 10 000 rows, where it is reliable and fast, if ``alpha="auto"`` or there are up to
        16 hidden units. Otherwise it is "adam", and also for more than 100 outputs, for more than
        3e8 multiply-adds per pass over the rows, for text-like data with more than a quarter as
        many columns as rows, and for `partial_fit`.
    alpha : "auto" or float, default="auto"
        Strength of the L2 penalty. A number means the same as ``1 / C`` in
        :class:`~sklearn.linear_model.LogisticRegression`. "auto" chooses it by the log-loss of
        held-out rows, at most 3000 distinct rows scored on three folds, or two of them above 700,
        and stores the choice in `alpha_`: the largest alpha within one standard error of the
        best. With more than 6000 distinct rows it is the best, and with more than 9000, if the
        first layer has fewer weights, the next smaller one. Equal rows are not split between
        training and held-out rows, except for tables of few distinct rows (see Notes). A warm start
        keeps `alpha_`; `partial_fit` uses the `alpha_` of an earlier `fit`, else 1.
    standardize : bool, default=True
        Train on features of mean 0 and scale 1. The parameters are transformed instead of X, which
        is not copied. After the fit, `coefs_` and `intercepts_` include the (weighted) statistics
        and apply to X as it is. The scale is the standard deviation. If at least half the rows of
        a column hold one value (zero, its smallest or its largest), the scale is at least half the
        root mean squared distance of the other rows from that value: for a column of two values
        that is half their range. The weights of a constant column are zero. Sparse X gives the
        same fit as dense X, unless it is text-like: at least 500 columns and at most
        5 % non-zeros. Columns of text-like data that are mostly zero are not centred, and the
        root mean squared norm of the rows is at most 5.
    n_init : "auto" or int, default="auto"
        Number of random starts. The worse half of them is dropped every 10 iterations ("lbfgs")
        or twentieth of `max_iter`, until the best is finished. "auto" is 16 for "lbfgs" with up
        to 4 hidden units, ``64 // hidden_units`` for more, but at least 1; 1 for "adam" and "sgd".
    class_weight : dict, "balanced" or None, default=None
        Weight of each class, ``{label: weight}``, multiplied with the sample weight.
        "balanced" gives every class the same total weight. For multilabel targets, a list has an
        entry for each label, and the weights of the labels of a row are multiplied, as in
        :func:`~sklearn.utils.class_weight.compute_sample_weight`.
    batch_size : "auto" or int, default="auto"
        Minibatch size of "adam" and "sgd", capped at n_samples. "auto" is a 128th of the rows,
        but at least 64 and at most 1024. Steps on less than all rows are computed in single
        precision.
    learning_rate : {"cosine", "constant", "invscaling", "adaptive"}, default="cosine"
        Learning-rate schedule of "adam" and "sgd". "cosine" rises over the first twentieth
        of `max_iter` and then falls to zero along a cosine. "invscaling" divides by the root of
        the epoch. "adaptive" divides by 5 whenever the fit would have stopped by `tol`, until
        it is below a millionth of the initial rate.
    learning_rate_init : "auto" or float, default="auto"
        Largest learning rate. "auto" is, at 64 rows per batch, 0.01 for "adam" (0.003 for
        text-like data with more than a quarter as many columns as rows) and 0.05 for
        "sgd", and grows with the root of `batch_size`.
    momentum : float in [0, 1), default=0.9
        Momentum of "sgd".
    nesterovs_momentum : bool, default=True
        Use Nesterov momentum.
    beta_1 : float in [0, 1), default=0.9
        Decay of the first moment of "adam".
    beta_2 : float in [0, 1), default=0.999
        Decay of the second moment of "adam".
    max_iter : int or None, default=None
        Iterations of "lbfgs", epochs of "adam" and "sgd". None is 1000 iterations, or enough epochs
        for 500 steps, but at least 25 epochs, or 64 with ``alpha="auto"``; this minimum is at most
        ``64 * (16384 / n_samples) ** 0.45``. For text-like data with more than a quarter as many
        columns as rows, it is enough epochs for 60 steps times the root of the number of outputs,
        but at least 1 epoch.
    tol : float, default=1e-4
        The fit has converged when `n_iter_no_change` iterations (epochs) in a row have each
        failed to bring the loss more than `tol`, in nats per unit of sample weight, below its
        previous minimum. The loss is that of the validation data with `early_stopping`, else the
        training loss. With the "cosine" rate and without early stopping, the schedule runs to its
        end, and the fit has converged if `max_iter` is None or the last epoch improved the loss by
        less than `tol`.
    early_stopping : bool, default=False
        Watch the loss of validation data, stop when it no longer falls and return the weights of
        its minimum. Works with every solver; `partial_fit` ignores it.
    validation_fraction : float in (0, 1), default=0.1
        Fraction of the distinct rows held out if `X_val` is not given. The split is stratified,
        and each class keeps at least one row to train on. Equal rows stay together.
    n_iter_no_change : int, default=10
        See `tol`.
    warm_start : bool, default=False
        Start `fit` from the weights of the last fit.
    random_state : int, RandomState instance or None, default=None
        Determines the random starts, the order of the rows, the folds that choose alpha and the
        choice of validation rows. Pass an int for repeatable results.
    verbose : int, default=0
        1 prints the chosen alpha, selected iterations and the outcome of each restart, 2 prints
        all iterations.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels; for multilabel targets the column numbers.
    coefs_ : list of two arrays
        W1 of shape (n_features, hidden_units), in units of 1 / feature, and W2 of shape
        (hidden_units, n_outputs), where n_outputs is 1 for two classes. The hidden units are in
        order of decreasing contribution to the output: standard deviation over the training
        data times norm of the outgoing weights. For odd activations the largest outgoing weight
        of each is positive.
    intercepts_ : list of two arrays
        b1 of shape (hidden_units,) and b2 of shape (n_outputs,).
    out_activation_ : {"logistic", "softmax"}
        Output units.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features, if X had any and all are strings.
    loss_ : float
        Objective at the weights returned, in nats per unit of sample weight.
    loss_curve_ : list of float
        Objective after each iteration. For epochs of batches it is the mean over the batches, each
        before its step.
    validation_loss_curve_ : list of float
        Mean cross-entropy of the validation data after each iteration; only if there are any.
    n_iter_ : int
        Iterations (epochs) run by the start that was finished.
    best_iter_ : int
        The iteration, counted from 1, whose weights were returned: the one with the lowest
        loss (see `tol`). 0 is the start.
    converged_ : bool
        True if the fit ended by itself: not by `max_iter`, divergence or a callback. False after
        `partial_fit`.
    stop_reason_ : str
        "tol", "early_stopping", "schedule" (the planned epochs are complete), "stationary" (the
        loss reached machine precision), "max_iter" (also of planned epochs, if their
        steps were too short), "diverged" (the loss is higher than always predicting the class
        frequencies), "callback" or "partial_fit".
    alpha_ : float
        The penalty used: the one chosen with ``alpha="auto"``, else `alpha`.
    alphas_ : ndarray of shape (n_alphas,)
        The penalties tried, in decreasing order; only with ``alpha="auto"``.
    alpha_scores_ : ndarray of shape (n_folds, n_alphas)
        Their negative log-loss on held-out rows, in nats; only with ``alpha="auto"``.
    feature_importances_ : ndarray of shape (n_features,)
        Mean absolute gradient of the logits times the standard deviation of the feature, with sum
        one. It says how much the output changes with a feature at the training data, all others
        fixed. It does not say how much accuracy a feature contributes (see
        :func:`~sklearn.inspection.permutation_importance`), and correlated features share it
        arbitrarily.
    n_init_losses_ : list of float
        Loss of every start when it was dropped or finished.

    See Also
    --------
    TwoLayerMLPClassifierCV : Choose alpha and hidden_units by cross-validation.
    sklearn.neural_network.MLPClassifier : Any number of hidden layers.

    Notes
    -----
    If all rows are in one batch, a row of weight k gives the same fit as k equal rows, and a row
    of weight 0 the same fit as no row. There is one exception. In a table with few distinct rows,
    such as the combinations of some categories, equal rows are treated as separate observations and
    may be split between training and held-out rows. Otherwise whole regions would be missing from
    the training data. These are tables with at least ten times as many rows as distinct rows, of
    which there are at most 16, or 100 if their labels differ.

    References
    ----------
    .. [1] C. M. Bishop, Pattern Recognition and Machine Learning, chapter 5, Springer, 2006.
    .. [2] J. Nocedal and S. J. Wright, Numerical Optimization, chapter 7, Springer, 2006.
    .. [3] D. P. Kingma and J. Ba, Adam: A Method for Stochastic Optimization, ICLR, 2015.

    Examples
    --------
    >>> from sklearn.datasets import make_circles
    >>> from sk_mlp import TwoLayerMLPClassifier
    >>> X, y = make_circles(500, noise=0.1, factor=0.4, random_state=0)
    >>> clf = TwoLayerMLPClassifier(hidden_units=3, random_state=0).fit(X, y)
    >>> clf.score(X, y) > 0.99
    True
    >>> clf.transform(X).shape
    (500, 3)
    """

    __module__ = "sk_mlp"

    _parameter_constraints = CONSTRAINTS

    def __init__(
        self,
        hidden_units: int = 100,
        *,
        activation: Activation = "relu",
        solver: Solver = "auto",
        alpha: float | Literal["auto"] = "auto",
        standardize: bool = True,
        n_init: int | Literal["auto"] = "auto",
        class_weight: Any = None,
        batch_size: int | Literal["auto"] = "auto",
        learning_rate: LearningRate = "cosine",
        learning_rate_init: float | Literal["auto"] = "auto",
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        max_iter: int | None = None,
        tol: float = 1e-4,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        warm_start: bool = False,
        random_state: Any = None,
        verbose: int | bool = 0,
    ) -> None:
        self.hidden_units = hidden_units
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.standardize = standardize
        self.n_init = n_init
        self.class_weight = class_weight
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.max_iter = max_iter
        self.tol = tol
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> "TwoLayerMLPClassifier":
        """Fit the network to data.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            Training data. Float32 and float64 are used as they are, in C order.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Class labels, or indicators of labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, not negative.
        X_val, y_val : array-like, default=None
            Validation data, whose loss is followed in `validation_loss_curve_`, and which
            `early_stopping` watches instead of a part of X.
        sample_weight_val : array-like, default=None
            Weights of the validation data.

        Returns
        -------
        self : TwoLayerMLPClassifier
            The fitted estimator.

        Raises
        ------
        ValueError
            If a parameter or the data cannot be used, with its name and value, or if the loss
            does not stay finite. A fitted estimator is then as it was before.
        """
        check_parameters(self)
        with unchanged_on_error(self):
            fit = self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))
            warn_if_useless(self, fit)
            warn_unless_converged(self, fit)
        return self

    @with_callbacks
    @quietly
    def _fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any,
        validation: tuple[Any, Any, Any] = NOTHING,
        *,
        tuned: bool = False,
    ) -> Finished:
        """Fit to checked options; `tuned` is True if alpha was chosen by a search."""
        tasks = CallbackTasks(self, X, y, sample_weight)
        rng = check_random_state(self.random_state)
        data = validate(self, X, y, sample_weight).weighted()
        data, held_out = self._hold_out(data, validation, rng)
        moments = data.moments(standardize=self.standardize)
        training = TrainingSet(data, rows := data.rows(), moments, held_out=held_out)
        fit = self._train(training, rng, tasks, tuned=tuned)
        network, _ = self._network()
        importances = feature_importances(network, rows, moments, self._flat_parameters())
        self.feature_importances_ = place(importances, data.X, widest_float(data.X))
        tasks.end({})
        return fit

    def _hold_out(
        self, data: Data, validation: tuple[Any, Any, Any], rng: np.random.RandomState
    ) -> tuple[Data, Rows | None]:
        """Rows to train on and rows to watch: those given, or some of the former."""
        if any(part is not None for part in validation):
            return data, validate_held_out(self, *validation, data).rows()
        if not self.early_stopping:
            return data, None
        if not (self._continues() and hasattr(self, "_split_seed")):  # a warm start keeps its split
            self._split_seed = int(rng.randint(2**31 - 1))
        chance = np.random.RandomState(self._split_seed)
        keys = split_keys(data.X, data.target.encoded, chance)
        kept, held = stratified_holdout(data.target, keys, self.validation_fraction)
        return data.take(kept), data.take(held).rows()

    @quietly  # a fit on a cluster begins here
    def _train(
        self,
        training: TrainingSet,
        rng: np.random.RandomState,
        tasks: CallbackTasks,
        *,
        tuned: bool = False,
    ) -> Finished:
        """Fit to rows, wherever they are: the steps that every fit has."""
        data, warm = training.data, self._continues()
        objective, settings = settle(training, options_of(self), tuned=tuned)
        tasks.begin_fit(settings)
        listeners: list[Any] = [Reporter(settings.solver, self.verbose)] if self.verbose else []
        choice = self._choose_alpha(training, settings, rng, tasks)
        for reporter in listeners:
            reporter.chosen(choice)
        objective = objective.with_alpha(choice.alpha)
        if warm:
            check_same_network(self, data, "warm_start=True")
            network, last = objective.network, self._flat_parameters()
            starts = [objective.standardization.to_standardized_units(network.layout, last)]
        else:
            starts = random_starts(objective, data, settings, rng)
        if tasks.callbacks:
            tasks.describe(objective, data, iteration_name(settings.solver))
            listeners.append(tasks)
        watch = Watch(validation_loss(objective, training.held_out), self.early_stopping, listeners)
        result, losses = train(objective, settings, starts, rng, watch=watch, warm=warm)
        fit = finish(objective, data, settings, result)
        for name in ("alphas_", "alpha_scores_", "validation_loss_curve_"):
            self.__dict__.pop(name, None)  # of a fit before, which had them
        self.__dict__.update(fit.attributes, n_init_losses_=losses)
        self.__dict__.update(choice.attributes(self.coefs_[0]))
        self._stream: dict[str, Any] = {"moments": training.moments._asdict()}
        return fit

    def _continues(self) -> bool:
        """True if `fit` begins where the last fit ended."""
        return self.warm_start and hasattr(self, "coefs_")

    def _choose_alpha(
        self,
        training: TrainingSet,
        settings: Settings,
        rng: np.random.RandomState,
        tasks: CallbackTasks,
    ) -> AlphaChoice:
        """Alpha as given, as chosen by the last fit of a warm start, or chosen now."""
        if self.alpha != "auto":
            return AlphaChoice(float(self.alpha))
        if self._continues() and hasattr(self, "alpha_"):
            tried = (getattr(self, name, ()) for name in ("alphas_", "alpha_scores_"))
            return AlphaChoice(self.alpha_, *map(to_numpy, tried))
        seed = int(rng.randint(2**31 - 1))
        data = training.data if training.sample is None else training.sample()
        share = data.X.shape[0] / training.rows.n_rows
        begin, end = partial(tasks.begin_leaf, "alpha"), tasks.end_leaf
        options = options_of(self)
        return choose_alpha(data, options, settings, seed, share=share, begin=begin, end=end)

    @available_if(_has_partial_fit)
    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> "TwoLayerMLPClassifier":
        """Make one pass of minibatch steps over some rows of a stream.

        The learning rate is constant. The penalty is divided by the sample weight seen so far,
        so that one pass over all rows in parts is regularised like one pass over the whole.
        `standardize` uses running statistics, which do not change the function learned so far.
        `early_stopping`, `n_init`, `max_iter` and `learning_rate` are ignored.

        Parameters
        ----------
        X : array-like or sparse matrix of shape (n_samples, n_features)
            The next rows.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            Their labels.
        classes : array-like of shape (n_classes,), default=None
            All labels that can occur; needed on the first call, unless y is multilabel.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights, not negative.

        Returns
        -------
        self : TwoLayerMLPClassifier
            The fitted estimator.

        Raises
        ------
        AttributeError
            If the solver is "lbfgs".
        ValueError
            If the rows cannot be used. The estimator is then as it was before.
        """
        check_parameters(self)
        with unchanged_on_error(self):
            self._partial_fit(X, y, classes, sample_weight)
        return self

    @with_callbacks
    @quietly
    def _partial_fit(self, X: Any, y: Any, classes: Any, sample_weight: Any) -> None:
        tasks = CallbackTasks(self, X, y, sample_weight)
        first = not hasattr(self, "coefs_")
        known = None if first else to_host(self.classes_)
        classes = stream_classes(y, to_host(classes), known)
        data = validate(self, X, y, sample_weight, classes, reset=first).weighted()
        last, stream = None, {}
        if not first:
            check_same_network(self, data, "partial_fit")
            last, stream = self._flat_parameters(), self._stream
        alpha = getattr(self, "alpha_", 1.0) if self.alpha == "auto" else self.alpha
        tasks.begin("partial_fit")
        params, self.loss_, self._stream = next_pass(
            data, options_of(self), float(alpha), last, stream
        )
        self.__dict__.update(fitted_network(params, data.layout(self.hidden_units), data))
        self.loss_curve_: list[float] = [] if first else self.loss_curve_
        self.loss_curve_.append(self.loss_)  # in place: a stream may be long
        self.n_iter_ = self.best_iter_ = len(self.loss_curve_)
        self.converged_, self.stop_reason_ = False, "partial_fit"
        self.alpha_, self.n_init_losses_ = float(alpha), [self.loss_]
        if self.verbose:
            reporter = Reporter(self._stream["solver"], self.verbose)
            reporter.print(f"pass {self.n_iter_}  loss {self.loss_:.5f}")
        tasks.end({})
