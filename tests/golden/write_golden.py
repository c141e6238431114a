"""Write the golden files of this release: ``python tests/golden/write_golden.py``.

Run it once per release, after the version has changed, and commit what it writes. The files
of earlier releases stay: every later release has to load them and to predict the same.
"""

import pickle
import zipfile
from pathlib import Path

import numpy as np
import skops.io
from sklearn.datasets import load_breast_cancer, load_iris

import sk_mlp
from sk_mlp import TwoLayerMLPClassifier, TwoLayerMLPClassifierCV

FOLDER = Path(__file__).parent


def models():
    """Fitted models of every kind of target and state, and rows to predict."""
    X, y = load_breast_cancer(return_X_y=True)
    yield "binary", TwoLayerMLPClassifier(4, random_state=0).fit(X, y), X[::40]

    X, y = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    model = TwoLayerMLPClassifier(20, activation="tanh", early_stopping=True, random_state=0)
    yield "strings_float32", model.fit(X.astype(np.float32), names), X[::10].astype(np.float32)

    labels = np.column_stack([y == 0, y >= 1, X[:, 0] > 6]).astype(int)
    model = TwoLayerMLPClassifier(3, activation="gelu", solver="lbfgs", random_state=0)
    yield "multilabel", model.fit(X, labels), X[::10]

    model = TwoLayerMLPClassifierCV(3, alphas=[1.0, 10.0], cv=2, random_state=0)
    yield "search", model.fit(X, y), X[::10]

    model = TwoLayerMLPClassifier(5, solver="adam", random_state=0)
    for batch in np.split(np.random.RandomState(0).permutation(150), 3):
        model.partial_fit(X[batch], y[batch], classes=[0, 1, 2])
    yield "stream", model, X[::10]


def main():
    """Write one pickle, one skops file and the predictions that are expected of both."""
    stem = f"sk_mlp-{sk_mlp.__version__}"
    fitted, expected = {}, {}
    for name, model, X in models():
        fitted[name] = model
        expected[f"{name}.X"] = X
        expected[f"{name}.probability"] = model.predict_proba(X)
        expected[f"{name}.hidden"] = model.transform(X)
    (FOLDER / f"{stem}.pkl").write_bytes(pickle.dumps(fitted, protocol=4))
    skops.io.dump(fitted, FOLDER / f"{stem}.skops", compression=zipfile.ZIP_DEFLATED)
    np.savez_compressed(FOLDER / f"{stem}.npz", **expected)


if __name__ == "__main__":
    main()
