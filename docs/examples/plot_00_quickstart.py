"""
Quick start
===========

Train the two-layer perceptron on circles and on handwritten digits, beside scikit-learn's
LogisticRegression and MLPClassifier, and look at what it learned. ``python -m sk_mlp`` shows
similar tables in a shell.
"""

# %%
# Fit it as any classifier of scikit-learn. Accuracy is the share of correct predictions;
# log-loss also judges the probabilities: lower is better, and predicting 0.5 for each of two classes
# gives 0.693.

import time

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits, make_circles
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sk_mlp import HiddenUnitsDisplay, ProjectionDisplay, TwoLayerMLPClassifier


def report(name, model, X_train, X_test, y_train, y_test):
    """Fit a model and print one line about it."""
    start = time.perf_counter()
    model.fit(X_train, y_train)
    seconds = time.perf_counter() - start
    accuracy = accuracy_score(y_test, model.predict(X_test))
    loss = log_loss(y_test, model.predict_proba(X_test))
    print(f"  {name:<42} accuracy {accuracy:.3f}   log-loss {loss:.3f}   {seconds:6.2f} s")


# %%
# Two circles, one inside the other: no straight line separates them.

X, y = make_circles(600, noise=0.1, factor=0.5, random_state=0)
circles = train_test_split(X, y, test_size=0.5, random_state=0)

print("Circles: 300 rows to train, 300 to test")
report("LogisticRegression", LogisticRegression(), *circles)
three = MLPClassifier((3,), activation="tanh", max_iter=2000, random_state=0)
report("MLPClassifier, 3 tanh units", three, *circles)
network = TwoLayerMLPClassifier(hidden_units=3, activation="tanh", random_state=0)
report("TwoLayerMLPClassifier, 3 tanh units", network, *circles)
report("MLPClassifier, 100 units", MLPClassifier(max_iter=2000, random_state=0), *circles)
report("TwoLayerMLPClassifier, 100 units", TwoLayerMLPClassifier(random_state=0), *circles)

# %%
# Handwritten digits: a grid search chooses the number of hidden units by the log-loss. The
# network needs no scaler in front, the other two do.

X, y = load_digits(return_X_y=True)
digits = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)

print("\nDigits: 898 rows to train, 899 to test, 64 features, 10 classes")
for classifier in (LogisticRegression(), MLPClassifier(max_iter=500, random_state=0)):
    pipeline = make_pipeline(StandardScaler(), classifier)
    report(type(classifier).__name__, pipeline, *digits)
search = GridSearchCV(
    TwoLayerMLPClassifier(random_state=0),
    {"hidden_units": [10, 30, 100]},
    scoring="neg_log_loss",
    cv=3,
)
report("TwoLayerMLPClassifier, grid search", search, *digits)
print(
    f"  chosen: {search.best_params_['hidden_units']} hidden units of 10, 30, 100; fitted 3 x 3 + 1 times"
)

# %%
# What it learned. Left: each hidden unit is a line at which the boundary may bend, and three lines are
# enough to lead it around the inner circle. Right: in the output of the three units a plane separates
# the classes.

figure = plt.figure(figsize=(11, 5), layout="constrained")
left, right = figure.add_subplot(1, 2, 1), figure.add_subplot(1, 2, 2, projection="3d")
X_train, _, y_train, _ = circles
HiddenUnitsDisplay.from_estimator(network, X_train, y_train, ax=left)
ProjectionDisplay.from_estimator(network, X_train, y_train, ax=right)
left.set_title("Circles: decision boundary and three hidden units")
right.set_title("Their output: a plane separates the classes")
plt.show()
