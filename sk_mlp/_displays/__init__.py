"""Pictures of a fitted network, in scikit-learn's Display conventions.

They read fitted attributes and the public predict side only. Matplotlib is imported inside
``plot`` and nowhere else.
"""

from sk_mlp._displays.hidden_units import HiddenUnitsDisplay
from sk_mlp._displays.loss_curve import LossCurveDisplay
from sk_mlp._displays.projection import ProjectionDisplay

__all__ = ["HiddenUnitsDisplay", "LossCurveDisplay", "ProjectionDisplay"]
