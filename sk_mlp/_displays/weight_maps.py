"""Drawing of the weights of a network: as two maps that share their columns, or as images."""

from typing import Any

import numpy as np

from sk_mlp._displays.display import NAMES, NEGATIVE, POSITIVE, shown

# Blue, grey at zero, yellow, and brighter all the way: the sign survives a print in grey.
WEIGHTS_CMAP = "cividis"
MAX_UNIT_TICKS = 20  # numbers of more units would touch
CELL = 0.21  # inches, the height of a line of small text
TITLE = 0.55  # inches between the maps


def image_grid(n_images: int) -> tuple[int, int]:
    """Return the numbers of rows and columns to arrange images in."""
    n_columns = int(np.ceil(np.sqrt(1.5 * n_images)))
    return -(-n_images // n_columns), n_columns


def draw_maps(
    ax: Any,
    input_weights: np.ndarray,
    output_weights: np.ndarray,
    feature_names: np.ndarray,
    output_names: np.ndarray,
    feature_label: str,
) -> tuple[list[Any], list[Any]]:
    """Divide the area of `ax` between a map features x units and below it one outputs x units.

    `input_weights` has shape (n_features, hidden_units), `output_weights` (hidden_units,
    n_outputs). Returns the axes and the PolyCollection of both maps.
    """
    ax.set_axis_off()
    n_features, hidden_units = input_weights.shape
    inches = ax.get_window_extent().size / ax.figure.dpi
    row = (1 - min(0.3, TITLE / inches[1])) / (n_features + len(output_names))
    # a few units in a wide figure: rather a narrow map than stretched squares
    width = min(1.0, 1.6 * row * inches[1] * hidden_units / inches[0])
    upper = ax.inset_axes((0, 1 - n_features * row, width, n_features * row))
    lower = ax.inset_axes((0, 0, width, len(output_names) * row), sharex=upper)
    maps = [
        _draw_squares(
            upper, input_weights, feature_names, "input of a unit per std of the feature"
        ),
        _draw_squares(lower, output_weights.T, output_names, "logit per std of the unit"),
    ]
    upper.set_ylabel(feature_label)
    lower.set_ylabel("class")
    lower.set_xticks(range(0, hidden_units, 1 + (hidden_units - 1) // MAX_UNIT_TICKS))
    lower.set_xlabel("hidden unit")
    upper.tick_params(labelbottom=False)
    return [upper, lower], maps


def _draw_squares(ax: Any, weights: np.ndarray, row_names: np.ndarray, unit: str) -> Any:
    """Draw weights as squares, row by row: filled if positive, hollow if negative.

    The area is the magnitude (after Hinton & Shallice, 1991). `weights` has shape
    (n_rows, n_columns), in `unit`; returns the PolyCollection.
    """
    from matplotlib.collections import PolyCollection

    n_rows, n_columns = weights.shape
    largest = float(np.abs(weights).max())
    half = 0.46 * np.sqrt(np.abs(weights) / (largest or 1.0)).reshape(-1, 1, 1)
    centres = np.stack(np.meshgrid(range(n_columns), range(n_rows)), axis=-1).reshape(-1, 1, 2)
    corners = centres + half * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]])
    positive = weights.ravel() > 0
    squares = PolyCollection(
        list(corners),
        facecolors=np.where(positive, POSITIVE, "white"),
        edgecolors=np.where(positive, POSITIVE, NEGATIVE),
        linewidths=1.2,
    )
    ax.add_collection(squares)
    ax.set(xlim=(-0.5, n_columns - 0.5), ylim=(n_rows - 0.5, -0.5))
    ax.set_yticks(range(n_rows), labels=list(map(shown, row_names)), **NAMES)
    key = f"filled: positive, hollow: negative, largest: {largest:.2g}"
    ax.set_title(f"{unit}\n{key}", fontsize="small", loc="left")
    return squares


def draw_images(
    ax: Any, input_weights: np.ndarray, titles: list[str], image_shape: tuple[int, int]
) -> tuple[list[Any], list[Any]]:
    """Divide the area of `ax` between images of the input weights of each unit, on one scale.

    `input_weights` has shape (n_features, hidden_units), and `image_shape` is rows and columns.
    Returns the axes and the AxesImage of each unit.
    """
    ax.set_axis_off()
    n_rows, n_columns = image_grid(len(titles))
    width, height = 0.93 / n_columns, 1 / n_rows
    largest = float(np.abs(input_weights).max()) or 1.0
    axes, images = [], []
    for j, title in enumerate(titles):
        row, column = divmod(j, n_columns)
        corner = (column * width, 1 - (row + 1) * height)
        axis = ax.inset_axes((*corner, 0.9 * width, 0.8 * height))
        image = input_weights[:, j].reshape(image_shape)
        images.append(axis.imshow(image, cmap=WEIGHTS_CMAP, vmin=-largest, vmax=largest))
        axis.set(xticks=[], yticks=[])
        axis.set_title(title, pad=2, **NAMES)
        axes.append(axis)
    bar = ax.inset_axes((0.95, 0, 0.02, 1))
    ax.figure.colorbar(images[0], cax=bar, label="input of the unit per std of a pixel")
    return axes, images
