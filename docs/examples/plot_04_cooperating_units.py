"""
4. Three linear classifiers that cooperate
==========================================

The hidden layer of the network is a few linear classifiers whose outputs are the features of one
more. They are useful because all of them are trained together.
"""

# %%
# First without cooperation: three logistic regressions, each trained on a third of the samples, and a
# fourth one trained on their three probabilities. All three fail in the same way, so the fourth has
# nothing to combine.

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import expit
from sklearn.datasets import make_circles
from sklearn.linear_model import LogisticRegression

from sk_mlp import HiddenUnitsDisplay, TwoLayerMLPClassifier

X, y = make_circles(300, noise=0.1, factor=0.4, random_state=0)
three = [LogisticRegression().fit(X[i::3], y[i::3]) for i in range(3)]
W1 = np.column_stack([line.coef_[0] for line in three])
b1 = np.array([line.intercept_[0] for line in three])
H = expit(X @ W1 + b1)
fourth = LogisticRegression().fit(H, y)
print("alone:   ", [round(line.score(X, y), 2) for line in three])
print("combined:", round(fourth.score(H, y), 2))

# %%
# Now the network with three logistic hidden units. The formula is the same, but the training differs:
# one loss for all weights rewards a unit for what the others miss.

network = TwoLayerMLPClassifier(3, activation="logistic", alpha=0.1, random_state=0).fit(X, y)
hidden_weights, output_weights = network.coefs_
print("network: ", round(network.score(X, y), 2))
for j in range(3):
    alone = (network.transform(X)[:, j] > 0.5) == y
    print(f"hidden unit {j} alone would be right for {max(alone.mean(), 1 - alone.mean()):.0%}")

# %%
# Each unit changes at its dashed line, with an arrow to its active side. The independent units lie
# anywhere; the cooperating ones surround the inner circle, and the output layer combines them into a
# closed boundary.

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 5.5), layout="constrained")
HiddenUnitsDisplay(
    W1=W1,
    b1=b1,
    W2=fourth.coef_.T,
    feature_std=X.std(axis=0),
    unit_std=H.std(axis=0),
    feature_names=np.array(["x0", "x1"]),
    classes=fourth.classes_,
    X=X,
    y=y,
).plot(ax=left)
left.set_title("trained independently")
HiddenUnitsDisplay.from_estimator(network, X, y, ax=right)
right.set_title("trained together")
plt.show()
