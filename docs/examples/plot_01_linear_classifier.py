"""
1. A linear classifier
======================

Where a straight line is enough, use one. This first example introduces the pictures and the terms
that the next ones use.
"""

# %%
# Two groups of points that a line can separate. A linear classifier computes one number for a
# sample x, the *raw prediction* ``x @ w + b``, and chooses the class by its sign. The line
# where it is zero is the *decision boundary*; w is perpendicular to it and points to the
# positive side.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_blobs
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.linear_model import LogisticRegression

X, y = make_blobs(200, centers=[[-1.5, -1.0], [1.5, 1.0]], random_state=0)
linear = LogisticRegression().fit(X, y)
print("w =", linear.coef_[0].round(2), " b =", linear.intercept_.round(2))
print("accuracy", linear.score(X, y))

figure, ax = plt.subplots(layout="constrained")
DecisionBoundaryDisplay.from_estimator(
    linear, X, ax=ax, response_method="predict_proba", cmap="cividis", alpha=0.5
)
for label, marker, color in ((0, "o", "#0072B2"), (1, "^", "#E69F00")):
    ax.scatter(*X[y == label].T, marker=marker, color=color, edgecolor="0.15", label=label)
w = linear.coef_[0]
foot = -linear.intercept_ * w / (w @ w)  # the point of the boundary next to the origin
head = foot + 1.5 * w / np.linalg.norm(w)
ax.annotate("", head, foot, arrowprops={"arrowstyle": "-|>", "linewidth": 3, "color": "black"})
ax.text(*(1.15 * head), "w", fontsize="xx-large", fontweight="bold")
ax.set(xlabel="x0", ylabel="x1", aspect="equal", title="The probability rises in the direction w")
ax.legend(title="class")
plt.show()

# %%
# The logistic function turns the raw prediction into a probability. Training chooses w and b to make
# the observed classes as probable as possible, with a small penalty on the length of w. The
# two-layer perceptron does the same and adds one layer in front.
