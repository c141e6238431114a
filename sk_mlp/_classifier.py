"""TwoLayerMLPClassifier."""

import warnings
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target

from sk_mlp._arrays import to_numpy
from sk_mlp._callbacks import CallbackTasks, with_callbacks
from sk_mlp._compat import namespace, to_host
from sk_mlp._data import Data, fitted_network, validate, validate_held_out
from sk_mlp._holdout import row_keys, stratified_holdout
from sk_mlp._parameters import (
    IDENTITY,
    Layout,
    in_canonical_order,
)
from sk_mlp._predictor import TwoLayerPredictor
from sk_mlp._reporting import Reporter, iteration_name
from sk_mlp._settings import Settings, resolve
from sk_mlp._solvers import check_finite
from sk_mlp._standardization import FeatureMoments, feature_moments
from sk_mlp._training import Listener, one_epoch, random_starts, train
from sk_mlp._validation import check_parameters, unchanged_on_error

Array = Any  # an array of any namespace of the array API standard


def _has_partial_fit(estimator: "TwoLayerMLPClassifier") -> bool:
    if estimator.solver == "lbfgs":
        raise AttributeError("partial_fit needs solver='adam' or 'sgd'; got solver='lbfgs'.")
    return True


class TwoLayerMLPClassifier(TwoLayerPredictor):
    """Two-layer perceptron classifier."""

    __module__ = "sk_mlp"

    def __init__(
        self,
        hidden_units: int = 100,
        *,
        activation: str = "relu",
        solver: str = "auto",
        alpha: float = 1.0,
        standardize: bool = True,
        n_init: int | str = "auto",
        class_weight: Any = None,
        batch_size: int | str = "auto",
        learning_rate: str = "cosine",
        learning_rate_init: float | str = "auto",
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
        """Fit the network to data."""
        check_parameters(self)
        with unchanged_on_error(self):
            settings = self._fit(X, y, sample_weight, X_val, y_val, sample_weight_val)
            self._warn_unless_converged(settings)
        return self

    @with_callbacks
    def _fit(
        self, X: Any, y: Any, sample_weight: Any, X_val: Any, y_val: Any, sample_weight_val: Any
    ) -> Settings:
        tasks = CallbackTasks(self, X, y, sample_weight)
        previous = self._previous_fit() if self.warm_start and hasattr(self, "coefs_") else None
        data = validate(self, X, y, sample_weight)
        if previous is not None:
            self._check_same_network(data, "warm_start=True")
        rng = check_random_state(self.random_state)
        held_out = None
        if X_val is not None or y_val is not None or sample_weight_val is not None:
            held_out = validate_held_out(self, X_val, y_val, sample_weight_val, data.target)
        elif self.early_stopping:
            keys = row_keys(data.X, rng)
            kept, held = stratified_holdout(data.target, keys, self.validation_fraction)
            data, held_out = data.take(kept), data.take(held)

        moments = feature_moments(namespace(data.X), data.X, data.weights)
        standardization = moments.standardization(data.X.shape[1]) if self.standardize else IDENTITY
        problem = data.problem(self.hidden_units, self.activation, standardization)
        layout = problem.layout
        settings = resolve(
            self.get_params(), data.X.shape, layout.n_outputs, is_sparse=sparse.issparse(data.X)
        )
        if previous is not None:
            starts = [standardization.to_standardized_units(layout, previous)]
        else:
            starts = random_starts(problem, settings.n_init, data.log_odds(), rng)
        listeners: list[Listener] = []
        if self.verbose:
            listeners.append(Reporter(settings.solver, self.verbose))
        if tasks.callbacks:
            listeners.append(tasks)
            tasks.describe(
                lambda params: fitted_network(
                    standardization.to_user_units(layout, to_numpy(params)), layout, data
                ),
                iteration_name(settings.solver),
            )
        params, result, losses = train(
            problem,
            settings,
            starts,
            rng,
            validation=None
            if held_out is None
            else held_out.problem(self.hidden_units, self.activation, standardization),
            watch_validation=self.early_stopping,
            listeners=listeners,
        )

        user = standardization.to_user_units(layout, params)
        strength = problem.rows().unit_spread(user) * np.linalg.norm(layout.views(user)[2], axis=1)
        user = in_canonical_order(layout, user, strength, problem.activation.odd)
        self.__dict__.update(fitted_network(user, layout, data))
        self.n_iter_ = result.n_iter
        self.loss_ = result.loss
        self.loss_curve_ = result.loss_curve
        self.best_iter_ = result.best_iter
        self.converged_ = result.converged
        self.stop_reason_ = result.reason
        self.n_init_losses_ = losses
        if held_out is not None:
            self.validation_loss_curve_ = result.validation_loss_curve
        elif hasattr(self, "validation_loss_curve_"):
            del self.validation_loss_curve_
        self._stream: dict[str, Any] = {"moments": tuple(moments)}
        tasks.end({})
        return settings

    def _warn_unless_converged(self, settings: Settings) -> None:
        if self.converged_ or self.stop_reason_ == "callback":
            return
        advice = "increase max_iter or tol"
        if settings.solver != "lbfgs":
            advice += ", or try another learning_rate_init"
        warnings.warn(
            f"{settings.solver} stopped after max_iter={settings.max_iter} iterations without "
            f"convergence (loss {self.loss_:.4g}); {advice}.",
            ConvergenceWarning,
            stacklevel=3,
        )

    def _previous_fit(self) -> np.ndarray:
        """Flat parameters of the last fit, in user units."""
        W1, W2 = (to_numpy(w) for w in self.coefs_)
        b1, b2 = (to_numpy(b) for b in self.intercepts_)
        return Layout(W1.shape[0], W1.shape[1], W2.shape[1]).flatten(W1, b1, W2, b2)

    def _check_same_network(self, data: Data, purpose: str) -> None:
        """Raise if the last fit was of a network of other shapes or classes."""
        n_features, hidden_units = self.coefs_[0].shape
        for name, last, now in (
            ("hidden_units", hidden_units, self.hidden_units),
            ("n_features", n_features, data.X.shape[1]),
            ("classes", to_host(self.classes_).tolist(), data.target.classes.tolist()),
            ("output units", self.out_activation_, data.target.output),
        ):
            if last != now:
                raise ValueError(
                    f"{purpose} continues the last fit, which had {name} {last}; got {now}."
                )

    @available_if(_has_partial_fit)
    def partial_fit(
        self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None
    ) -> "TwoLayerMLPClassifier":
        """Make one pass of minibatch steps over the rows given."""
        check_parameters(self)
        with unchanged_on_error(self):
            self._partial_fit(X, y, classes, sample_weight)
        return self

    @with_callbacks
    def _partial_fit(self, X: Any, y: Any, classes: Any, sample_weight: Any) -> None:
        tasks = CallbackTasks(self, X, y, sample_weight)
        first = not hasattr(self, "coefs_")
        classes = to_host(classes)
        if not first:
            known = to_host(self.classes_)
            if classes is not None and not np.array_equal(known, np.unique(classes)):
                raise ValueError(
                    f"classes={classes!r} is not the same as on the last call to fit or "
                    f"partial_fit, {known.tolist()}."
                )
            classes = known
        elif classes is not None:
            classes = np.unique(classes)
        elif not type_of_target(y).startswith("multilabel"):
            raise ValueError("classes must be passed on the first call to partial_fit.")
        data = validate(self, X, y, sample_weight, classes, reset=first)
        if not first:
            self._check_same_network(data, "partial_fit")
        moments = feature_moments(namespace(data.X), data.X, data.weights)
        stream: dict[str, Any] = {} if first else dict(self._stream)
        if stream:
            moments = FeatureMoments(*stream["moments"]).merge(moments)
        standardization = moments.standardization(data.X.shape[1]) if self.standardize else IDENTITY
        problem = data.problem(self.hidden_units, self.activation, standardization)
        layout = problem.layout
        settings = resolve(
            self.get_params(),
            data.X.shape,
            layout.n_outputs,
            is_sparse=sparse.issparse(data.X),
            stream=True,
        )
        rng = stream.get("random_state") or check_random_state(self.random_state)
        if first:
            start = random_starts(problem, 1, data.log_odds(), rng)[0]
        else:
            start = standardization.to_standardized_units(layout, self._previous_fit())
        tasks.begin("partial_fit")
        params, loss, slots, t = one_epoch(
            problem, settings, start, stream.get("slots"), stream.get("t", 0), rng, moments.weight
        )
        user = standardization.to_user_units(layout, params)
        if not np.isfinite(user).all():
            check_finite(np.nan)
        self.__dict__.update(fitted_network(user, layout, data))
        self.loss_ = loss
        self.loss_curve_ = [*([] if first else self.loss_curve_), loss]
        self.n_iter_ = self.best_iter_ = len(self.loss_curve_)
        self.converged_, self.stop_reason_ = False, "partial_fit"
        self.n_init_losses_ = [loss]
        if self.verbose:
            Reporter(settings.solver, self.verbose).print(f"pass {self.n_iter_}  loss {loss:.5f}")
        self._stream = {"moments": tuple(moments), "slots": slots, "t": t, "random_state": rng}
        tasks.end({})
