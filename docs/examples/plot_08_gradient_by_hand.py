r"""
8. Gradient descent by hand
===========================

The whole network in thirty lines of NumPy: the loss, its four partial derivatives, a check of
them by finite differences, and gradient descent. No automatic differentiation is needed.
"""

# %%
# The model is H = g(X W1 + b1), S = H W2 + b2, P = 1 / (1 + exp(-S)), here with g = tanh. The
# loss is the mean cross-entropy with a penalty on the weights,
#
# .. math:: L = \frac1n \Big( \sum_i \log(1 + e^{s_i}) - y_i s_i
#           + \frac\alpha2 (\|W_1\|^2 + \|W_2\|^2) \Big)

import matplotlib.pyplot as plt
import numpy as np
from scipy.special import expit
from sklearn.datasets import make_circles

from sk_mlp import LossCurveDisplay, TwoLayerMLPClassifier

ALPHA = 0.1
X, y = make_circles(300, noise=0.1, factor=0.4, random_state=0)
Y = y[:, None]


def forward(W1, b1, W2, b2):
    H = np.tanh(X @ W1 + b1)  # (n_samples, hidden_units)
    return H, H @ W2 + b2  # (n_samples, 1)


def loss(W1, b1, W2, b2):
    _, S = forward(W1, b1, W2, b2)
    penalty = ALPHA / 2 * (np.sum(W1**2) + np.sum(W2**2))
    return (np.sum(np.logaddexp(0, S) - Y * S) + penalty) / len(X)


# %%
# The derivatives follow from the chain rule, from the output to the input. The first one is simple: the
# derivative of the cross-entropy with respect to the raw prediction is P - Y. The derivative of tanh
# is 1 - tanh². Every gradient has the shape of its parameter.


def gradients(W1, b1, W2, b2):
    H, S = forward(W1, b1, W2, b2)
    residual = (expit(S) - Y) / len(X)  # dL/dS
    dW2 = H.T @ residual + ALPHA * W2 / len(X)
    db2 = residual.sum(axis=0)
    back = (residual @ W2.T) * (1 - H**2)  # dL/d(X W1 + b1)
    dW1 = X.T @ back + ALPHA * W1 / len(X)
    db1 = back.sum(axis=0)
    return dW1, db1, dW2, db2


# %%
# Always check a derivative: move one entry of a parameter slightly to either side and compare the
# change of the loss with the formula.

rng = np.random.default_rng(0)
params = [rng.normal(size=(2, 3)), rng.normal(size=3), rng.normal(size=(3, 1)), np.zeros(1)]


def numerical_gradient(k, step=1e-5):
    result = np.zeros_like(params[k])
    for index in np.ndindex(result.shape):
        ends = []
        for sign in (1, -1):
            moved = [p.copy() for p in params]
            moved[k][index] += sign * step
            ends.append(loss(*moved))
        result[index] = (ends[0] - ends[1]) / (2 * step)
    return result


for k, (name, exact) in enumerate(zip(("W1", "b1", "W2", "b2"), gradients(*params), strict=True)):
    print(
        f"d loss / d {name}: largest difference {np.abs(exact - numerical_gradient(k)).max():.0e}"
    )

# %%
# Gradient descent repeatedly takes a step against the gradient.

curve = []
for _ in range(3000):
    params = [p - 1.0 * dp for p, dp in zip(params, gradients(*params), strict=True)]
    curve.append(loss(*params))
print(f"by hand, {len(curve)} steps: loss {curve[-1]:.4f}")

# %%
# The classifier minimises the same loss. Its solver, L-BFGS, estimates the curvature and so needs far
# fewer steps. It also tries several random starts, because the loss has several minima.

network = TwoLayerMLPClassifier(
    3, activation="tanh", solver="lbfgs", alpha=ALPHA, standardize=False, random_state=0
).fit(X, y)
W1, W2 = network.coefs_
b1, b2 = network.intercepts_
print(f"classifier, {network.n_iter_} steps: loss_ {network.loss_:.4f}")
print(f"its parameters in our formula: {loss(W1, b1, W2, b2):.4f}")

figure, ax = plt.subplots(layout="constrained")
look = {"color": "black", "linestyle": ":"}
LossCurveDisplay(loss=curve, name="gradient descent by hand").plot(ax=ax, curve_kwargs=look)
LossCurveDisplay.from_estimator(network, name="TwoLayerMLPClassifier", ax=ax)
ax.legend(loc="upper right")
plt.show()
