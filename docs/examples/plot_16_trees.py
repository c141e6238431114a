"""
16. Where trees are better
==========================

Trees split one feature at a time. Where the answer jumps at thresholds of single features they are
hard to beat, but splines in front of the network close most of the gap.
"""

# %%
# Five features and two classes. The odds jump up and down several times along the first feature,
# and once or twice along two others. Boundaries of this kind are common: think of phonemes told
# apart by the energy in frequency bands.

import time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import SplineTransformer

from sk_mlp import TwoLayerMLPClassifier

rng = np.random.default_rng(0)
X = rng.normal(size=(5000, 5))
score = 2.5 * np.sign(np.sin(4 * X[:, 0])) + np.where(np.abs(X[:, 1]) > 0.7, 2.0, -2.0)
score += np.where((X[:, 2] > 0) & (X[:, 2] < 0.5), 1.5, -1.5) + X[:, 3]
y = (rng.random(5000) < 1 / (1 + np.exp(-score))).astype(int)


def report(name, model, X):
    """Fit on half of the rows and print the log-loss on the other half."""
    X_train, X_test, y_train, y_test = train_test_split(X, y, train_size=0.5, random_state=0)
    start = time.process_time()
    model.fit(X_train, y_train)
    seconds = time.process_time() - start
    loss = log_loss(y_test, model.predict_proba(X_test))
    print(f"{name:<36} log-loss {loss:.3f}  {seconds:5.2f} s")
    return model


trees = report("trees", HistGradientBoostingClassifier(random_state=0), X)
network = report("network", TwoLayerMLPClassifier(random_state=0), X)

# %%
# More hidden units do not help, because the network has to build every jump from several units.
# :class:`~sklearn.preprocessing.SplineTransformer` replaces each feature by some functions of it,
# each of which is non-zero between a few knots only. The network then combines ready-made pieces. The
# number of knots is an option like any other, and a grid search chooses it. `alpha` is tuned in every
# fit, so the search need not vary it.

_ = report("network, 300 units", TwoLayerMLPClassifier(300, random_state=0), X)
splines = GridSearchCV(
    make_pipeline(
        SplineTransformer(degree=1, knots="quantile"), TwoLayerMLPClassifier(random_state=0)
    ),
    {"splinetransformer__n_knots": [10, 20, 40, 80]},
    scoring="neg_log_loss",
    cv=3,
)
report("splines + network, grid search", splines, X)
print("knots chosen:", splines.best_params_["splinetransformer__n_knots"])

# %%
# The probability along the first feature, the others at zero. The trees follow the jumps. The
# network alone smooths them; with splines it follows them too.

line = np.zeros((400, 5))
line[:, 0] = np.linspace(-2.5, 2.5, 400)
truth = 2.5 * np.sign(np.sin(4 * line[:, 0])) - 3.5
figure, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
ax.plot(line[:, 0], 1 / (1 + np.exp(-truth)), color="0.5", linewidth=4, alpha=0.5, label="truth")
for name, model, style in (
    ("trees", trees, ":"),
    ("network", network, "--"),
    ("splines + network", splines, "-"),
):
    ax.plot(line[:, 0], model.predict_proba(line)[:, 1], style, label=name)
ax.set(xlabel="first feature", ylabel="probability of class 1")
figure.legend(loc="outside upper center", ncols=4)
plt.show()

# %%
# The advantage of trees belongs to the axes, not to the jumps. Turn the space of the features, and the
# same jumps are no longer at thresholds of single features:

turn = np.linalg.qr(rng.normal(size=(5, 5)))[0]
_ = report("trees, turned", HistGradientBoostingClassifier(random_state=0), X @ turn)
_ = report("network, turned", TwoLayerMLPClassifier(random_state=0), X @ turn)

# %%
# So try both on your data. If trees are ahead, put splines in front of the network before you give up
# its smooth probabilities, its gradient and its small size.
