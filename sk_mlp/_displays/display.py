"""What the displays share: the axes that they draw in."""

from typing import Any


class Display:
    """A picture in scikit-learn's conventions: data in `__init__`, drawn by `plot`."""

    ax_: Any
    figure_: Any

    def _set_axes(self, ax: Any, **figure: Any) -> tuple[Any, Any]:
        """Draw in these axes, or for None in those of a new figure; returns pyplot and them."""
        try:
            import matplotlib.pyplot as plt  # optional, and slow to import
        except ImportError as error:
            raise ImportError(
                f"{type(self).__name__}.plot needs matplotlib; install it with: "
                "pip install 'sk_mlp[plot]'"
            ) from error
        if ax is None:
            _, ax = plt.subplots(layout="constrained", **figure)
        self.ax_, self.figure_ = ax, ax.figure
        return plt, ax
