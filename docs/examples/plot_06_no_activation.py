"""
6. Without activation it is a linear classifier
===============================================

Without a nonlinear activation, the two weight matrices multiply to one, and the network is a linear
classifier.
"""

# %%
# With ``activation="identity"`` the hidden layer is phi(x) = x W1 + b1, and so the raw
# prediction is (x W1 + b1) W2 + b2 = x (W1 W2) + (b1 W2 + b2): linear in x, however many
# hidden units there are. On the circles it is no better than a coin.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_blobs, make_circles
from sklearn.linear_model import LogisticRegression

from sk_mlp import HiddenUnitsDisplay, TwoLayerMLPClassifier

X, y = make_circles(400, noise=0.1, factor=0.4, random_state=0)
for activation in ("identity", "relu"):
    network = TwoLayerMLPClassifier(50, activation=activation, random_state=0).fit(X, y)
    print(f"{activation:<9} 50 hidden units on the circles: accuracy {network.score(X, y):.2f}")

# %%
# Without a penalty, it is the linear classifier that logistic regression finds. Two overlapping groups
# of points:

X, y = make_blobs(300, centers=[[-1, 0], [1, 1]], cluster_std=1.2, random_state=0)
network = TwoLayerMLPClassifier(3, activation="identity", alpha=0.0, tol=1e-12, random_state=0)
network.fit(X, y)
(W1, W2), (b1, b2) = network.coefs_, network.intercepts_
linear = LogisticRegression(C=np.inf, tol=1e-8).fit(X, y)
print("network, W1 W2:     ", (W1 @ W2).ravel().round(3), (b1 @ W2 + b2).round(3))
print("logistic regression:", linear.coef_.ravel().round(3), linear.intercept_.round(3))

# %%
# Three hidden units, three lines, one straight boundary.

display = HiddenUnitsDisplay.from_estimator(network, X, y)
display.ax_.set_title('activation="identity"')
plt.show()
