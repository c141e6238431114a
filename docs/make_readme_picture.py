"""Make images/circles.png, the picture of the README; run it after a change of the displays."""

import io
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
from PIL import Image
from sklearn.datasets import make_circles
from sklearn.inspection import DecisionBoundaryDisplay

from sk_mlp import HiddenUnitsDisplay, ProjectionDisplay, TwoLayerMLPClassifier

PICTURE = Path(__file__).parent / "images" / "circles.png"

X, y = make_circles(300, noise=0.1, factor=0.5, random_state=0)
network = TwoLayerMLPClassifier(hidden_units=3, random_state=0).fit(X, y)

figure = plt.figure(figsize=(14, 4.9), layout="constrained")
left, middle = figure.add_subplot(1, 3, 1), figure.add_subplot(1, 3, 2)
right = figure.add_subplot(1, 3, 3, projection="3d")

# paler than the samples, in the same two colours
colors = mpl.colors.LinearSegmentedColormap.from_list("", ["#8fbfdc", "white", "#f4d08c"])
DecisionBoundaryDisplay.from_estimator(
    network, X, ax=left, response_method="predict_proba", levels=10, cmap=colors, eps=0.2
)
for label, color, marker in ((0, "#0072B2", "o"), (1, "#E69F00", "^")):
    look = {"color": color, "marker": marker, "s": 22, "edgecolors": "0.15", "linewidths": 0.3}
    left.scatter(*X[y == label].T, label=f"class {label}", **look)
left.set(box_aspect=1, xlabel="x0", ylabel="x1", title="probability of class 1")
left.legend(fontsize="small")

HiddenUnitsDisplay.from_estimator(network, X, y, ax=middle)
middle.set(title="three hidden units and the boundary they make")
middle.get_legend().remove()  # the left panel has one
ProjectionDisplay.from_estimator(network, X, y, ax=right)
right.set(title="their output: one plane separates the classes")
for ax in (middle, right):
    ax.title.set_fontsize("medium")
left.title.set_fontsize("medium")

buffer = io.BytesIO()
figure.savefig(buffer, dpi=75)
PICTURE.parent.mkdir(exist_ok=True)
Image.open(buffer).convert("RGB").quantize(64).save(PICTURE, optimize=True)
print(f"{PICTURE.name}: {PICTURE.stat().st_size / 1000:.0f} kB")
