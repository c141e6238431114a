"""
14. The whole life of a model
=============================

From a table with categories and missing values to a saved model: preprocessing, fit,
probabilities, threshold, importances, picture, file.
"""

# %%
# The table is generated: 4000 customers of a telephone company. The contract and the region are
# categories, the usage and the age have missing values, and one customer in eight left.

import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
n = 4000
age = rng.normal(45, 15, n).clip(18, 90).round()
months = rng.exponential(24, n).round()
contract = rng.choice(["monthly", "yearly", "two years"], n, p=[0.5, 0.3, 0.2])
region = rng.choice(["north", "east", "south", "west", "abroad"], n, p=[0.3, 0.3, 0.2, 0.15, 0.05])
usage = rng.gamma(2, 20, n)
calls = rng.poisson(1 + 1.5 * (region == "abroad"), n)

# customers leave who use very little or very much, early and on a monthly contract
log_odds = -4.6 + 2.2 * (contract == "monthly") - 0.05 * months + 0.7 * calls
log_odds += 1.6 * np.abs(np.log(usage / 35))
y = np.where(rng.random(n) < 1 / (1 + np.exp(-log_odds)), "left", "stayed")

X = pd.DataFrame(
    {
        "age": np.where(rng.random(n) < 0.1, np.nan, age),
        "months": months,
        "contract": contract,
        "region": region,
        "usage": np.where(rng.random(n) < 0.15, np.nan, usage),
        "calls": calls,
    }
)
print(X.head().to_string())
print(f"\n{(y == 'left').mean():.1%} left; {X['usage'].isna().mean():.0%} of the usage is missing")

# %%
# Preprocess
# ----------
#
# Categories become columns of zeros and ones. Missing numbers are replaced by the median, and an
# additional column says that the number was missing. No scaler is needed.

from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from sk_mlp import TwoLayerMLPClassifier

X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
columns = make_column_transformer(
    (OneHotEncoder(handle_unknown="ignore"), ["contract", "region"]),
    (SimpleImputer(strategy="median", add_indicator=True), ["age", "months", "usage", "calls"]),
    verbose_feature_names_out=False,
)

# %%
# Fit
# ---
#
# ``alpha="auto"``, the default, tunes the penalty in the fit; the choice is in `alpha_`. The
# log-loss judges the probabilities: lower is better.

import time

from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

model = make_pipeline(columns, TwoLayerMLPClassifier(random_state=0))
models = {
    "LogisticRegression": make_pipeline(columns, StandardScaler(), LogisticRegression()),
    "MLPClassifier": make_pipeline(
        columns, StandardScaler(), MLPClassifier(max_iter=1000, random_state=0)
    ),
    "HistGradientBoostingClassifier": make_pipeline(
        columns, HistGradientBoostingClassifier(random_state=0)
    ),
    "TwoLayerMLPClassifier": model,
}
print(f"{'':<32}log-loss  ROC AUC  seconds")
for name, candidate in models.items():
    start = time.process_time()
    candidate.fit(X_train, y_train)
    seconds = time.process_time() - start
    loss = log_loss(y_test, candidate.predict_proba(X_test))
    auc = roc_auc_score(y_test == "stayed", candidate.predict_proba(X_test)[:, 1])
    print(f"{name:<32}{loss:8.3f}{auc:9.3f}{seconds:9.2f}")
network = model[-1]
print(f"\nalpha {network.alpha_:.3g}; stopped by {network.stop_reason_!r}")

# %%
# Probabilities and threshold
# ---------------------------
#
# A call to keep a customer costs 5, a customer lost without a call costs 50. The probabilities say
# whom to call. :class:`~sklearn.model_selection.TunedThresholdClassifierCV` finds the threshold
# with the lowest cost by cross-validation. In theory, it is 5 / 50 = 0.1 if a call always helps.

from sklearn.metrics import confusion_matrix, make_scorer
from sklearn.model_selection import TunedThresholdClassifierCV


def cost(y_true, y_pred):
    """Return the cost per customer."""
    (called_left, missed), (called_stayed, _) = confusion_matrix(y_true, y_pred)
    return (5 * (called_left + called_stayed) + 50 * missed) / len(y_true)


tuned = TunedThresholdClassifierCV(
    model, scoring=make_scorer(cost, greater_is_better=False), cv=3, random_state=0
).fit(X_train, y_train)
for calls, predicted in {
    "nobody": np.full(len(y_test), "stayed"),
    "everybody": np.full(len(y_test), "left"),
    "above probability 0.5": model.predict(X_test),
    f"above probability {1 - tuned.best_threshold_:.3f}": tuned.predict(X_test),
}.items():
    print(f"call {calls:<24} cost {cost(y_test, predicted):.2f}")

# %%
# Which columns matter
# --------------------
#
# `feature_importances_` is the share of each column in the output of the network: the mean absolute
# gradient of the logit times the scale of the column. The months, the calls, the contract and the
# usage lead; age and region have no effect of their own in these data.

import matplotlib.pyplot as plt

names = columns.get_feature_names_out()
importances = pd.Series(network.feature_importances_, names).sort_values()
figure, ax = plt.subplots(figsize=(7, 4.5), layout="constrained")
importances.plot.barh(ax=ax, color="#0072B2")
ax.set(xlabel="feature_importances_", title="Share in the output")
plt.show()

# %%
# Explain one prediction
# ----------------------
#
# ``input_gradient`` tells how the probability of ``classes_[1]``, here "stayed", changes per unit of
# each column. Times the standard deviation, columns of different units can be compared.

table = columns.transform(X_test)
unsure = int(np.abs(model.predict_proba(X_test)[:, 1] - 0.5).argmin())
gradient = network.input_gradient(table[[unsure]])[0] * columns.transform(X_train).std(axis=0)
print(X_test.iloc[[unsure]].to_string(index=False))
print(f"\nprobability to stay {model.predict_proba(X_test)[unsure, 1]:.2f}; one standard deviation")
print("more of each changes it by about:")
print(
    pd.Series(gradient, names).sort_values(key=np.abs, ascending=False).head(4).round(3).to_string()
)

# %%
# A small network to look at
# --------------------------
#
# Four hidden units predict as well here and can be drawn. The thicker a line, the larger its weight
# per standard deviation of the column; dashed lines are negative.

from sk_mlp import NetworkDisplay

small = make_pipeline(columns, TwoLayerMLPClassifier(4, activation="tanh", random_state=0))
small.fit(X_train, y_train)
print(f"log-loss of 4 units {log_loss(y_test, small.predict_proba(X_test)):.3f}")
NetworkDisplay.from_estimator(small, X_train)
plt.show()

# %%
# Save and load
# -------------
#
# `joblib` writes any pipeline; load such files only from people you trust. `skops` shows the types
# in a file before it loads them (:doc:`/guide/persistence`).

import tempfile
from pathlib import Path

import joblib

with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "model.joblib"
    joblib.dump(tuned, path)
    loaded = joblib.load(path)
    print(f"{path.name}: {path.stat().st_size / 1000:.0f} kB")
print("the same predictions:", bool((loaded.predict(X_test) == tuned.predict(X_test)).all()))
