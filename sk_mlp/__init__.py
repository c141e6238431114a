"""The two-layer perceptron for scikit-learn users."""

from sk_mlp._classifier import TwoLayerMLPClassifier

__version__ = "0.1.0"

__all__ = ["TwoLayerMLPClassifier"]
