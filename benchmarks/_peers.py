"""The same work done by sk_mlp and by others: fits of one network to one problem.

All minimise ``(sum_i CE_i + alpha/2 (|W1|^2 + |W2|^2)) / n`` on data that are already
standardised, from their own random start, and none stops before the iterations asked for.
"""

import importlib
import math
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from scipy.special import expit, log_softmax
from sklearn import datasets
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from sk_mlp import TwoLayerMLPClassifier

RATE = 1e-3


class Problem(NamedTuple):
    """A classification problem on standardised features, with the network to be trained."""

    X: Any
    y: Any
    hidden_units: int
    activation: str
    alpha: float
    batch_size: int = 200


def synthetic(n: int, d: int, classes: int, X: Any = None) -> tuple[Any, np.ndarray]:
    """Normal features, float64 or written to X, and labels of a random network of 20 units."""
    rng = np.random.default_rng(0)
    W1, W2 = rng.standard_normal((d, 20)), rng.standard_normal((20, classes))
    X, y = np.empty((n, d)) if X is None else X, np.empty(n, np.int64)
    for first in range(0, n, 10_000):
        rows = slice(first, min(first + 10_000, n))
        block = rng.standard_normal((rows.stop - first, d))
        S = 2 * np.tanh(block @ W1 / math.sqrt(d) * 2) @ W2
        X[rows], y[rows] = block, np.argmax(S + rng.gumbel(size=S.shape), axis=1)
    return X, y


def problem(name: str, dtype: str = "float64", small: bool = False) -> Problem:
    """Return a problem by name; `small` shrinks the synthetic ones, to try the scripts."""
    if name == "circles":
        X, y = datasets.make_circles(500, noise=0.1, factor=0.5, random_state=0)
        return Problem(StandardScaler().fit_transform(X).astype(dtype), y, 3, "tanh", 0.01)
    if name in ("breast_cancer", "digits"):
        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        X = StandardScaler().fit_transform(X).astype(dtype)
        return Problem(X, y, {"breast_cancer": 30, "digits": 100}[name], "relu", 0.1)
    size, _, activation = name.partition("-")
    n, d = map(int, size.split("x"))
    n, h, classes = n // 20 if small else n, *((256, 10) if d == 500 else (100, 2))
    return Problem(*synthetic(n, d, classes, np.empty((n, d), dtype)), h, activation or "relu", 1.0)


def objective(problem: Problem, model: Any) -> float:
    """Penalised training loss in float64, written independently of the package."""
    (W1, W2), (b1, b2) = model.coefs_, model.intercepts_
    g = {"relu": lambda Z: np.maximum(Z, 0), "tanh": np.tanh, "logistic": expit}
    S = g[problem.activation](problem.X.astype(np.float64) @ W1 + b1) @ W2 + b2
    S = np.hstack([-S / 2, S / 2]) if S.shape[1] == 1 else S
    cross_entropy = -log_softmax(S, axis=1)[np.arange(len(S)), problem.y].sum()
    squares = [np.sum(np.square(W, dtype=np.float64)) for W in (W1, W2)]
    return float((cross_entropy + 0.5 * problem.alpha * sum(squares)) / len(S))


def ours(p: Problem, solver: str, max_iter: int) -> TwoLayerMLPClassifier:
    """`TwoLayerMLPClassifier`."""
    return TwoLayerMLPClassifier(
        p.hidden_units, activation=p.activation, alpha=p.alpha, standardize=False, n_init=1,
        solver=solver, max_iter=max_iter, tol=0.0, n_iter_no_change=math.inf,
        batch_size=p.batch_size, learning_rate="constant", learning_rate_init=RATE, random_state=0,
    ).fit(p.X, p.y)  # fmt: skip


def sklearn_mlp(p: Problem, solver: str, max_iter: int) -> MLPClassifier:
    """`MLPClassifier`, whose penalty is divided by the rows of a batch, ours by all rows."""
    batch_size = min(p.batch_size, len(p.y))
    share = batch_size / len(p.y) if solver == "adam" else 1.0
    return MLPClassifier(
        (p.hidden_units,), activation=p.activation, alpha=p.alpha * share,
        solver=solver, max_iter=max_iter, tol=0.0, n_iter_no_change=np.inf,
        batch_size=batch_size, learning_rate_init=RATE, random_state=0,
    ).fit(p.X, p.y)  # fmt: skip


def torch_loop(p: Problem, solver: str, epochs: int) -> SimpleNamespace:
    """Run the loop that a user of PyTorch would write, with the batches cut from one tensor."""
    torch = importlib.import_module("torch")
    torch.manual_seed(0)
    X, y = torch.as_tensor(p.X), torch.as_tensor(p.y)
    (n, d), classes = X.shape, int(y.max()) + 1
    n_outputs = 1 if classes == 2 else classes
    y = y[:, None].to(X.dtype) if n_outputs == 1 else y
    criterion = torch.nn.BCEWithLogitsLoss() if n_outputs == 1 else torch.nn.CrossEntropyLoss()
    g = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}[p.activation]()
    first, second = torch.nn.Linear(d, p.hidden_units), torch.nn.Linear(p.hidden_units, n_outputs)
    module = torch.nn.Sequential(first, g, second).to(X.device, X.dtype)
    weights, biases = [first.weight, second.weight], [first.bias, second.bias]
    groups = [{"params": weights, "weight_decay": p.alpha / n}, {"params": biases}]
    optimizer = torch.optim.Adam(groups, lr=RATE)
    for _ in range(epochs):
        for rows in torch.randperm(n, device=X.device).split(p.batch_size):
            loss = criterion(module(X[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    coefs, intercepts = ([x.detach().cpu().numpy().T for x in part] for part in (weights, biases))
    return SimpleNamespace(coefs_=coefs, intercepts_=intercepts, n_iter_=epochs)


FITS = {"ours": ours, "MLPClassifier": sklearn_mlp, "PyTorch": torch_loop}
