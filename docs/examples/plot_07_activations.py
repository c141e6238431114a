"""
7. Activation functions compared
================================

The activation determines how a hidden unit changes at its line: smoothly (logistic, tanh) or with a
kink (relu, leaky_relu).
"""

# %%
# The functions: logistic and tanh are the same curve up to scale and offset, and saturate on both
# sides; relu is zero on one side and linear on the other; leaky_relu has a slope of 0.01 instead of
# zero.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split

from sk_mlp import HiddenUnitsDisplay, LossCurveDisplay, TwoLayerMLPClassifier

z = np.linspace(-4, 4, 201)
functions = {
    "logistic": 1 / (1 + np.exp(-z)),
    "tanh": np.tanh(z),
    "relu": np.maximum(z, 0),
    "leaky_relu": np.maximum(z, 0.01 * z),
}
styles = {
    "logistic": {"color": "#0072B2", "linestyle": "-"},
    "tanh": {"color": "#D55E00", "linestyle": "--"},
    "relu": {"color": "#009E73", "linestyle": "-."},
    "leaky_relu": {"color": "black", "linestyle": ":"},
}
figure, ax = plt.subplots(layout="constrained")
for name, g in functions.items():
    ax.plot(z, g, label=name, linewidth=2, **styles[name])
ax.set(xlabel="z = x @ w + b", ylabel="g(z)", ylim=(-1.2, 2.5))
ax.legend()
plt.show()

# %%
# Four networks of six units on two half-moons. Smooth activations make round boundaries, kinked ones
# make polygons. Which is better depends on the problem, and the difference is often small.

X, y = make_moons(400, noise=0.2, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
networks = {
    name: TwoLayerMLPClassifier(6, activation=name, alpha=0.1, random_state=0).fit(X_train, y_train)
    for name in functions
}
figure, axes = plt.subplots(2, 2, figsize=(10, 10), layout="constrained")
for ax, (name, network) in zip(axes.flat, networks.items(), strict=True):
    HiddenUnitsDisplay.from_estimator(network, X_train, y_train, ax=ax)
    ax.set_title(name)
    loss = log_loss(y_test, network.predict_proba(X_test))
    print(f"{name:<10} accuracy {network.score(X_test, y_test):.3f}  log-loss {loss:.3f}")
plt.show()

# %%
# The loss by iteration. Compare the speed, not the final values: the training loss includes the
# penalty, which differs between activations.

figure, ax = plt.subplots(layout="constrained")
for name, network in networks.items():
    LossCurveDisplay(loss=network.loss_curve_, name=name).plot(ax=ax, curve_kwargs=styles[name])
plt.show()
