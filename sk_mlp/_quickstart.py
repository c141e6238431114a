"""The quick start, ``python -m sk_mlp``: three comparisons and a picture in about ten seconds."""

import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits, load_wine, make_circles
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, log_loss
from sklearn.model_selection import GridSearchCV, StratifiedKFold, train_test_split
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sk_mlp

UNITS = (30, 100, 300)  # searched on the digits


def main(picture: str = "quickstart.png") -> None:
    """Compare with scikit-learn on circles, wines and digits, and draw what was learned.

    Parameters
    ----------
    picture : str, default="quickstart.png"
        File for the picture, which needs matplotlib.
    """
    print(f"sk_mlp {sk_mlp.__version__}: the two-layer perceptron beside scikit-learn")
    print("log-loss judges the probabilities: lower is better; seconds are CPU time of fit")
    network, X, y = circles()
    wines()
    digits()
    draw(network, X, y, picture)


def circles() -> tuple[Any, np.ndarray, np.ndarray]:
    """Fit networks of 3 and of 100 units to two circles; return that of 3 and its data."""
    X, y = make_circles(600, noise=0.1, factor=0.5, random_state=0)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, random_state=0)
    network = sk_mlp.TwoLayerMLPClassifier(3, activation="tanh", random_state=0)
    models = {
        "LogisticRegression": LogisticRegression(),
        "MLPClassifier, 3 tanh units": MLPClassifier(
            (3,), activation="tanh", max_iter=2000, random_state=0
        ),
        "TwoLayerMLPClassifier, 3 tanh units": network,
        "MLPClassifier, 100 units (default)": MLPClassifier(max_iter=2000, random_state=0),
        "TwoLayerMLPClassifier, 100 units (default)": sk_mlp.TwoLayerMLPClassifier(random_state=0),
    }
    title = "Circles, one inside the other: 300 rows to train, 300 to test"
    compare(title, models, [(X_train, X_test, y_train, y_test)])
    return network, X_train, y_train


def defaults() -> dict[str, Any]:
    """Return scikit-learn's network as it should be used and the one of this package."""
    return {
        "StandardScaler() + MLPClassifier()": make_pipeline(
            StandardScaler(), MLPClassifier(random_state=0)
        ),
        "TwoLayerMLPClassifier()": sk_mlp.TwoLayerMLPClassifier(random_state=0),
    }


def wines() -> None:
    """Compare defaults, without and with a scaler in front, on features of different units."""
    X, y = load_wine(return_X_y=True)
    folds = StratifiedKFold(5, shuffle=True, random_state=0).split(X, y)
    models = {"MLPClassifier()": MLPClassifier(random_state=0), **defaults()}
    title = "Wines: 178 rows, 13 features from 0.1 to 1700, mean of 5 folds"
    compare(title, models, [(X[fit], X[held], y[fit], y[held]) for fit, held in folds])


def digits() -> None:
    """Search for the number of hidden units by cross-validation."""
    X, y = load_digits(return_X_y=True)
    search = GridSearchCV(
        sk_mlp.TwoLayerMLPClassifier(random_state=0),
        {"hidden_units": UNITS},
        scoring="neg_log_loss",
        cv=3,
    )
    models = {**defaults(), f"GridSearchCV, {UNITS} units": search}
    title = "Handwritten digits: 898 rows to train, 899 to test, 64 features, 10 classes"
    compare(title, models, [train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)])
    print(
        f"  the search fitted 10 networks and chose {search.best_params_['hidden_units']} units\n"
    )


def compare(title: str, models: dict[str, Any], splits: list[Any]) -> None:
    """Print a table with the mean accuracy, log-loss and CPU time of fit over the splits."""
    print(f"\n{title}\n  {'':<44}accuracy   log-loss   seconds")
    for name, model in models.items():
        scores = []
        for X_train, X_test, y_train, y_test in splits:
            start = time.process_time()
            with warnings.catch_warnings():
                # MLPClassifier() stops at its 200 epochs, which is what its users get
                warnings.simplefilter("ignore", ConvergenceWarning)
                model.fit(X_train, y_train)
            seconds = time.process_time() - start
            loss = log_loss(y_test, model.predict_proba(X_test))
            scores.append((accuracy_score(y_test, model.predict(X_test)), loss, seconds))
        accuracy, loss, seconds = np.mean(scores, axis=0)
        print(f"  {name:<44}{accuracy:8.3f}{loss:11.3f}{seconds:10.2f}")


def draw(network: Any, X: np.ndarray, y: np.ndarray, picture: str) -> None:
    """Save the hidden units and the learned projection as a picture."""
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        print('No picture: it needs matplotlib, pip install "sk_mlp[plot]".')
        return
    figure = plt.figure(figsize=(11, 5), layout="constrained")
    left, right = figure.add_subplot(1, 2, 1), figure.add_subplot(1, 2, 2, projection="3d")
    sk_mlp.HiddenUnitsDisplay.from_estimator(network, X, y, ax=left)
    sk_mlp.ProjectionDisplay.from_estimator(network, X, y, ax=right)
    left.set_title("Three hidden units and the boundary they make")
    right.set_title("Seen from the output layer: a plane separates the classes")
    figure.savefig(picture, dpi=100)
    plt.close(figure)
    print(f"Picture of the 3 units: {Path(picture).resolve()}")
