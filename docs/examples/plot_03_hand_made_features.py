"""
3. Better features, made by hand
================================

The circles are easy with the right features: a linear classifier of the squared coordinates
separates them. But somebody had to think of the squares.
"""

# %%
# Write phi(x) for the new features. Here phi(x) = [x0², x1²], because the sum of the two is
# the squared radius, which is what distinguishes the circles.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_circles
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

X, y = make_circles(400, noise=0.1, factor=0.4, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
squares = FunctionTransformer(np.square)
model = make_pipeline(squares, LogisticRegression(C=100)).fit(X_train, y_train)
print("accuracy", model.score(X_test, y_test))

# %%
# The same classifier twice: its boundary is a line in the new features and an ellipse in the
# original ones.

figure, axes = plt.subplots(1, 2, figsize=(10, 5), layout="constrained")
spaces = (
    (model, X, "the original features", "x0", "x1"),
    (model[-1], squares.transform(X), "the features made by hand", "x0²", "x1²"),
)
for ax, (classifier, points, title, xlabel, ylabel) in zip(axes, spaces, strict=True):
    DecisionBoundaryDisplay.from_estimator(
        classifier, points, ax=ax, eps=0.2, response_method="predict", cmap="cividis", alpha=0.3
    )
    for label, marker, color in ((0, "o", "#0072B2"), (1, "^", "#E69F00")):
        look = {"marker": marker, "color": color, "edgecolor": "0.15", "label": label}
        ax.scatter(*points[y == label].T, **look)
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title, aspect="equal")
axes[1].legend(title="class")
plt.show()

# %%
# The hidden layer of a network finds such features by itself: the next example replaces the squares
# by functions that are learned together with the classifier.
