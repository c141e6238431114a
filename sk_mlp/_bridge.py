"""Convert a network to and from scikit-learn's MLPClassifier."""

from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.validation import check_is_fitted

from sk_mlp._backend.compat import to_host
from sk_mlp._data.moments import FeatureMoments

ACTIVATIONS = ("identity", "logistic", "tanh", "relu")  # that both classes have
SAME_NAME = (
    "activation", "momentum", "nesterovs_momentum", "beta_1", "beta_2", "tol", "early_stopping",
    "validation_fraction", "n_iter_no_change", "warm_start", "random_state",
)  # fmt: skip
# defaults of MLPClassifier for values that are "auto" here
SOLVER, ALPHA = "adam", 1e-4


def to_mlpclassifier(network: Any) -> MLPClassifier:
    """Return a fitted MLPClassifier with the weights of a fitted network."""
    check_is_fitted(network)
    if network.activation not in ACTIVATIONS:
        raise ValueError(
            f"MLPClassifier has no activation {network.activation!r}, only {', '.join(ACTIVATIONS)}."
        )
    coefs = [np.array(to_host(W)) for W in network.coefs_]
    intercepts = [np.array(to_host(b)) for b in network.intercepts_]
    mlp = MLPClassifier(**_their_parameters(network, coefs[0].shape[1]))
    _copy_attributes(network, mlp)
    mlp.coefs_, mlp.intercepts_ = coefs, intercepts
    classes = np.asarray(to_host(network.classes_))
    # a binarizer infers the kind of the target from an example
    example = np.eye(len(classes), dtype=int) if network._multilabel else classes
    mlp._label_binarizer = LabelBinarizer().fit(example)
    mlp.classes_ = mlp._label_binarizer.classes_
    mlp.n_layers_, mlp.n_outputs_, mlp.t_ = 3, coefs[1].shape[1], 0
    mlp.loss_, mlp.loss_curve_ = network.loss_, list(network.loss_curve_)
    early = mlp.early_stopping
    mlp.best_loss_ = None if early else network.loss_
    mlp.validation_scores_, mlp.best_validation_score_ = ([], -np.inf) if early else (None, None)
    mlp._no_improvement_count = 0
    mlp._best_coefs = [W.copy() for W in coefs]
    mlp._best_intercepts = [b.copy() for b in intercepts]
    return mlp


def from_mlpclassifier(cls: Any, mlp: Any) -> Any:
    """Return a fitted network of class `cls` with the weights of a fitted MLPClassifier.

    Options that both classes have are copied. So is `alpha`, which is weaker here for minibatch
    solvers, by the number of batches in the data.
    """
    if not hasattr(cls, "partial_fit"):
        raise TypeError(
            f"Use TwoLayerMLPClassifier.from_mlpclassifier: {cls.__name__} searches for a network."
        )
    if not isinstance(mlp, MLPClassifier):
        raise TypeError(f"from_mlpclassifier needs a fitted MLPClassifier; got {mlp!r}.")
    check_is_fitted(mlp)
    if len(mlp.coefs_) != 2:
        raise ValueError(
            f"A network here has one hidden layer; this MLPClassifier has {len(mlp.coefs_) - 1}."
        )
    hidden_units = mlp.coefs_[0].shape[1]
    options = {name: getattr(mlp, name) for name in SAME_NAME}
    network = cls(hidden_units, solver=mlp.solver, alpha=mlp.alpha, standardize=False, **options)
    _copy_attributes(mlp, network)
    network.coefs_ = [W.copy() for W in mlp.coefs_]
    network.intercepts_ = [b.copy() for b in mlp.intercepts_]
    network.classes_ = np.asarray(mlp.classes_)
    network.loss_ = float(mlp.loss_)
    network.loss_curve_ = [float(loss) for loss in getattr(mlp, "loss_curve_", [mlp.loss_])]
    network.best_iter_ = mlp.n_iter_
    network.converged_, network.stop_reason_ = False, "partial_fit"
    network.n_init_losses_ = [network.loss_]
    network.alpha_ = float(mlp.alpha)
    # partial_fit continues from these statistics, of no rows yet
    nothing = np.zeros(network.n_features_in_)
    network._stream = {
        "moments": FeatureMoments.restore((0.0, nothing, nothing), len(nothing))._asdict()
    }
    return network


def _copy_attributes(source: Any, target: Any) -> None:
    for name in ("n_features_in_", "feature_names_in_", "out_activation_", "n_iter_"):
        if hasattr(source, name):
            setattr(target, name, getattr(source, name))


def _their_parameters(network: Any, hidden_units: int) -> dict[str, Any]:
    """Parameters of MLPClassifier that correspond to those of a network."""
    own = network.get_params()
    theirs = {name: own[name] for name in SAME_NAME if name in own}
    solver = own.get("solver", "auto")
    theirs["solver"] = SOLVER if solver == "auto" else solver
    alpha = getattr(network, "alpha_", own.get("alpha", ALPHA))
    theirs["alpha"] = float(alpha) if isinstance(alpha, int | float | np.number) else ALPHA
    for name in ("learning_rate_init", "batch_size", "max_iter"):
        if isinstance(own.get(name), int | float | np.number):
            theirs[name] = own[name]
    return {"hidden_layer_sizes": (hidden_units,), **theirs}
