"""The two-layer perceptron for scikit-learn users."""

from sk_mlp._classifier import TwoLayerMLPClassifier
from sk_mlp._classifier_cv import TwoLayerMLPClassifierCV
from sk_mlp._displays import (
    AlphaPathDisplay,
    HiddenUnitsDisplay,
    LossCurveDisplay,
    NetworkDisplay,
    ProjectionDisplay,
)
from sk_mlp._persistence import SKOPS_TRUSTED_TYPES, InconsistentVersionWarning
from sk_mlp._versions import show_versions

__version__ = "0.2.0"

__all__ = [
    "SKOPS_TRUSTED_TYPES",
    "AlphaPathDisplay",
    "HiddenUnitsDisplay",
    "InconsistentVersionWarning",
    "LossCurveDisplay",
    "NetworkDisplay",
    "ProjectionDisplay",
    "TwoLayerMLPClassifier",
    "TwoLayerMLPClassifierCV",
    "show_versions",
]
