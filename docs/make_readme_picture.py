"""Make images/circles.png, the picture of the README; run it after a change of the displays."""

import io
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
from PIL import Image
from sklearn.datasets import make_circles

from sk_mlp import HiddenUnitsDisplay, ProjectionDisplay, TwoLayerMLPClassifier

PICTURE = Path(__file__).parent / "images" / "circles.png"

X, y = make_circles(300, noise=0.1, factor=0.5, random_state=0)
# logistic units are on on one side of their line and off on the other; with a small alpha they
# are steep enough to do so within the picture
network = TwoLayerMLPClassifier(
    hidden_units=3, activation="logistic", alpha=0.01, random_state=0
).fit(X, y)

# readable on a phone too
plt.rcParams.update({"font.size": 13, "axes.titlesize": 15})
figure = plt.figure(figsize=(9, 4.4), layout="constrained")
left = figure.add_subplot(1, 2, 1)
right = figure.add_subplot(1, 2, 2, projection="3d")
HiddenUnitsDisplay.from_estimator(network, X, y, ax=left)
left.get_legend().remove()
left.set(title="Three hidden units, three lines", xlabel=None, ylabel=None)
left.tick_params(labelsize=10)
ProjectionDisplay.from_estimator(network, X, y, ax=right)
right.get_legend().remove()
right.set_title("Their output, split by a plane")
right.set(xticks=[0, 1], yticks=[0, 1], zticks=[0, 1])
for axis, label in ((right.xaxis, "unit 0"), (right.yaxis, "unit 1"), (right.zaxis, "unit 2")):
    axis.set_label_text(label)
    axis.labelpad = -6
right.tick_params(labelsize=10, pad=-2)
right.set_box_aspect((4, 4, 3), zoom=0.93)

buffer = io.BytesIO()
figure.savefig(buffer, dpi=180)
PICTURE.parent.mkdir(exist_ok=True)
Image.open(buffer).convert("RGB").quantize(64).save(PICTURE, optimize=True)
print(f"{PICTURE.name}: {PICTURE.stat().st_size / 1000:.0f} kB")
