"""
11. Rare classes: weights and the decision threshold
====================================================

One sample in twenty is of the class that matters. A classifier that always answers "no" is right
for 95 % of them, and useless. Two remedies differ in their effect on the probabilities.
"""

# %%
# The data: 5 % positive. Balanced accuracy is the mean of the accuracies within the classes; it
# is one half for a model that always says "no".

import matplotlib.pyplot as plt
import numpy as np
from sklearn.calibration import CalibrationDisplay
from sklearn.datasets import make_classification
from sklearn.metrics import balanced_accuracy_score, log_loss, precision_score, recall_score
from sklearn.model_selection import (
    FixedThresholdClassifier,
    TunedThresholdClassifierCV,
    train_test_split,
)

from sk_mlp import TwoLayerMLPClassifier

X, y = make_classification(
    6000, n_features=8, n_informative=5, weights=[0.95], flip_y=0.01, class_sep=0.8, random_state=1
)
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
plain = TwoLayerMLPClassifier(30, random_state=0)
weighted = TwoLayerMLPClassifier(30, class_weight="balanced", random_state=0)

# %%
# First remedy: ``class_weight="balanced"`` gives the errors in the rare class about twenty times the
# weight. Second: train without weights and say "yes" at a lower probability. Tune the threshold by
# cross-validation for a score, or compute it from costs: if a missed case costs as much as 19 false
# alarms, every probability above 1 / 20 is worth an alarm.

models = {
    "as it is": plain,
    "class_weight": weighted,
    "tuned threshold": TunedThresholdClassifierCV(plain, scoring="balanced_accuracy", cv=3),
    "threshold 1/20": FixedThresholdClassifier(plain, threshold=1 / 20),
}
print(f"{'':<16} balanced accuracy  recall  precision  log-loss")
for name, model in models.items():
    predicted = model.fit(X_train, y_train).predict(X_test)
    print(
        f"{name:<16} {balanced_accuracy_score(y_test, predicted):17.3f}  "
        f"{recall_score(y_test, predicted):6.3f}  {precision_score(y_test, predicted):9.3f}  "
        f"{log_loss(y_test, model.predict_proba(X_test)):8.3f}"
    )

# %%
# All remedies find more of the rare cases, with more false alarms. But the probabilities of the
# weighted model are those of a world in which both classes are equally frequent. A threshold leaves
# the probabilities as they are.

figure, ax = plt.subplots(layout="constrained")
for name, marker in (("as it is", "o"), ("class_weight", "^")):
    probability = models[name].predict_proba(X_test)[:, 1]
    CalibrationDisplay.from_predictions(
        y_test, probability, n_bins=8, strategy="uniform", name=name, marker=marker, ax=ax
    )
ax.set(xlabel="predicted probability of the rare class", ylabel="share of rare cases")
plt.show()

# %%
# The two are related: multiplying the weight of a class by k adds about log k to its raw prediction.
# Moving the threshold has the same effect without another fit.

shift = weighted.decision_function(X_test) - plain.decision_function(X_test)
weight = (y_train == 0).sum() / (y_train == 1).sum()
print(
    f"median shift of the raw prediction {np.median(shift):.2f}; log of the weights' ratio {np.log(weight):.2f}"
)
