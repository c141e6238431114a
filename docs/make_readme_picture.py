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

figure = plt.figure(figsize=(11, 5.2), layout="constrained")
left = figure.add_subplot(1, 2, 1)
right = figure.add_subplot(1, 2, 2, projection="3d")
HiddenUnitsDisplay.from_estimator(network, X, y, ax=left)
left.get_legend().remove()
left.set_title("Three hidden units: each is a line with an active side")
ProjectionDisplay.from_estimator(network, X, y, ax=right)
right.get_legend().remove()
right.set_title("Their output: one plane separates the classes")
right.set_box_aspect((4, 4, 3), zoom=0.95)

buffer = io.BytesIO()
figure.savefig(buffer, dpi=150)
PICTURE.parent.mkdir(exist_ok=True)
Image.open(buffer).convert("RGB").quantize(64).save(PICTURE, optimize=True)
print(f"{PICTURE.name}: {PICTURE.stat().st_size / 1000:.0f} kB")
