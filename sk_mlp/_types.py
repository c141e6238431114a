"""Types of what users see: the choices of options, and the attributes of a fitted network.

scikit-learn has no types, so that attributes which are set in a fit are not known to type checkers
unless they are annotated.
"""

from typing import Literal

import numpy as np

from sk_mlp._backend.arrays import Array

Activation = Literal["identity", "logistic", "tanh", "relu", "leaky_relu", "gelu", "silu"]
Solver = Literal["auto", "lbfgs", "adam", "sgd"]
LearningRate = Literal["cosine", "constant", "invscaling", "adaptive"]


class FittedNetwork:
    """Attributes of a fitted network, with their types; see `TwoLayerMLPClassifier`."""

    classes_: Array
    coefs_: list[Array]
    intercepts_: list[Array]
    out_activation_: str
    n_features_in_: int
    feature_names_in_: np.ndarray
    n_iter_: int
    loss_: float
    loss_curve_: list[float]
    validation_loss_curve_: list[float]
    best_iter_: int
    converged_: bool
    stop_reason_: str
    n_init_losses_: list[float]
    alpha_: float
    alphas_: Array
    alpha_scores_: Array
    feature_importances_: Array
