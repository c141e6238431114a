"""Pictures of a fitted network, in scikit-learn's Display conventions.

They read fitted attributes and the public predict side only. Matplotlib is imported inside
``plot`` and nowhere else.
"""

from sk_mlp._displays._hidden_units import HiddenUnitsDisplay
from sk_mlp._displays._loss_curve import LossCurveDisplay
from sk_mlp._displays._projection import ProjectionDisplay

__all__ = ["HiddenUnitsDisplay", "LossCurveDisplay", "ProjectionDisplay"]
