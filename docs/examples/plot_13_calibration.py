"""
13. Calibrated probabilities
============================

If rain is forecast with a probability of 70 %, it should rain on seven such days in ten. This
example checks the network and scikit-learn's MLPClassifier, both with default options.
"""

# %%
# A noisy problem with few samples, where a model is easily overconfident: one label in ten is wrong,
# so no honest probability is above about 90 %.

import time

import matplotlib.pyplot as plt
from sklearn.calibration import CalibrationDisplay
from sklearn.datasets import make_classification
from sklearn.metrics import brier_score_loss, log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_mlp import TwoLayerMLPClassifier

X, y = make_classification(
    5500, n_features=12, n_informative=6, n_clusters_per_class=3, flip_y=0.2, random_state=0
)
X_train, X_test, y_train, y_test = train_test_split(X, y, train_size=500, random_state=0)

# %%
# The penalty prevents overconfidence. That of MLPClassifier is small by default (``alpha=0.0001``, in
# other units). The right penalty depends on the noise of the problem, so TwoLayerMLPClassifier tunes it
# in ``fit`` by the log-loss of held-out rows. For comparison, a network with a fixed penalty of 0.1, in
# the units of ``1 / C`` of LogisticRegression.

figure, ax = plt.subplots(figsize=(6, 6), layout="constrained")
models = {
    "MLPClassifier": MLPClassifier(max_iter=2000, random_state=0),
    "alpha=0.1": TwoLayerMLPClassifier(alpha=0.1, random_state=0),
    'alpha="auto"': TwoLayerMLPClassifier(random_state=0),
}
for (name, classifier), marker in zip(models.items(), "s^o", strict=True):
    model = make_pipeline(StandardScaler(), classifier)
    start = time.perf_counter()
    model.fit(X_train, y_train)
    seconds = time.perf_counter() - start
    probability = model.predict_proba(X_test)[:, 1]
    print(
        f"{name:<24} accuracy {model.score(X_test, y_test):.3f}  "
        f"log-loss {log_loss(y_test, probability):.3f}  "
        f"Brier score {brier_score_loss(y_test, probability):.3f}  {seconds:.2f} s"
    )
    CalibrationDisplay.from_predictions(
        y_test, probability, n_bins=10, strategy="quantile", name=name, marker=marker, ax=ax
    )
print("penalty chosen: alpha =", round(classifier.alpha_, 3))
ax.set(xlabel="predicted probability", ylabel="observed share")
plt.show()

# %%
# A curve flatter than the diagonal means overconfidence. If you use the probabilities for decisions,
# compare the log-loss of held-out data: accuracy does not show the difference.
