"""Pictures of a fitted network, in scikit-learn's Display conventions.

They read fitted attributes and the public predict side only. Matplotlib is imported inside
``plot`` and nowhere else.
"""

from sk_mlp._displays.alpha_path import AlphaPathDisplay
from sk_mlp._displays.hidden_units import HiddenUnitsDisplay
from sk_mlp._displays.loss_curve import LossCurveDisplay
from sk_mlp._displays.network_graph import NetworkDisplay
from sk_mlp._displays.projection import ProjectionDisplay

__all__ = [
    "AlphaPathDisplay",
    "HiddenUnitsDisplay",
    "LossCurveDisplay",
    "NetworkDisplay",
    "ProjectionDisplay",
]
