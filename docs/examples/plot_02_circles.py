"""
2. Where a line fails
=====================

Two circles, one inside the other. No straight line separates them, so the best linear classifier
does no better than a coin.
"""

# %%
# Whatever its direction, the line cuts both circles in half.

import matplotlib.pyplot as plt
from sklearn.datasets import make_circles
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

X, y = make_circles(1000, noise=0.1, factor=0.4, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
linear = LogisticRegression().fit(X_train, y_train)
print("accuracy", linear.score(X_test, y_test))
print("log-loss", round(log_loss(y_test, linear.predict_proba(X_test)), 3), "of a coin: 0.693")

figure, ax = plt.subplots(layout="constrained")
DecisionBoundaryDisplay.from_estimator(
    linear, X, ax=ax, eps=0.2, response_method="predict", cmap="cividis", alpha=0.3
)
for label, marker, color in ((0, "o", "#0072B2"), (1, "^", "#E69F00")):
    ax.scatter(*X[y == label].T, marker=marker, color=color, edgecolor="0.15", label=label)
ax.set(xlabel="x0", ylabel="x1", aspect="equal", title="A line through two circles")
ax.legend(title="class")
plt.show()

# %%
# The weights are almost zero: the original features, each by itself, say nothing about the class.

print("w =", linear.coef_[0].round(3))
