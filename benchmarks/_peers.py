"""The same work done by sk_mlp and by others: fits of one network to one problem.

All minimise ``(sum_i CE_i + alpha/2 (|W1|^2 + |W2|^2)) / n`` on data that are already
standardised, from their own random start, and none stops before the iterations asked for.
"""

import contextlib
import importlib
import math
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from _common import Network, Outcome, Problem, network_of
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from sk_mlp import TwoLayerMLPClassifier

BATCH, RATE = 200, 1e-3


class Missing(Exception):  # noqa: N818 - not an error: the row is skipped
    """The peer is not installed."""


@contextlib.contextmanager
def no_convergence_warnings() -> Iterator[None]:
    """Every fit here is stopped by its number of iterations, on purpose."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield


def ours(problem: Problem, solver: str, max_iter: int, n_init: int = 1) -> Outcome:
    """`TwoLayerMLPClassifier`."""
    model = TwoLayerMLPClassifier(
        problem.hidden_units,
        activation=problem.activation,
        solver=solver,
        alpha=problem.alpha,
        standardize=False,
        n_init=n_init,
        batch_size=BATCH,
        learning_rate="constant",
        learning_rate_init=RATE,
        max_iter=max_iter,
        tol=0.0,
        n_iter_no_change=math.inf,
        random_state=0,
    )
    with no_convergence_warnings():
        model.fit(problem.X, problem.y)
    return Outcome(network_of(model), model.n_iter_)


def sklearn_model(problem: Problem, solver: str, max_iter: int, seed: int = 0) -> MLPClassifier:
    """`MLPClassifier` with the same objective.

    Its penalty is divided by the rows of a batch where ours is divided by all rows.
    """
    n = len(problem.y)
    share = min(BATCH, n) / n if solver == "adam" else 1.0
    return MLPClassifier(
        (problem.hidden_units,),
        activation=problem.activation,
        solver=solver,
        alpha=problem.alpha * share,
        batch_size=min(BATCH, n),
        learning_rate_init=RATE,
        max_iter=max_iter,
        tol=0.0,
        n_iter_no_change=np.inf,
        random_state=seed,
    )


def sklearn_mlp(problem: Problem, solver: str, max_iter: int, seed: int = 0) -> Outcome:
    """Fit `MLPClassifier`."""
    model = sklearn_model(problem, solver, max_iter, seed)
    with no_convergence_warnings():
        model.fit(problem.X, problem.y)
    return Outcome(network_of(model), model.n_iter_)


def require(package: str) -> Any:
    """Import a package that may be missing, which must not fall into the time of a fit."""
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise Missing(f"{package} is not installed") from error


def _torch_module(problem: Problem) -> Any:
    torch = require("torch")
    classes = int(problem.y.max()) + 1
    g = {"relu": torch.nn.ReLU, "tanh": torch.nn.Tanh}[problem.activation]
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(problem.X.shape[1], problem.hidden_units),
        g(),
        torch.nn.Linear(problem.hidden_units, 1 if classes == 2 else classes),
    )


def _torch_network(module: Any) -> Network:
    W1, b1, W2, b2 = (p.detach().numpy() for p in module.parameters())
    return Network(W1.T, b1, W2.T, b2)


def torch_loop(problem: Problem, epochs: int) -> Outcome:
    """Run the loop that a user of PyTorch would write, with the batches cut from one tensor."""
    torch = require("torch")
    module, n = _torch_module(problem), len(problem.y)
    X = torch.from_numpy(problem.X)
    binary = module[2].out_features == 1
    y = torch.from_numpy(problem.y)
    y = y[:, None].to(X.dtype) if binary else y.long()
    criterion = torch.nn.BCEWithLogitsLoss() if binary else torch.nn.CrossEntropyLoss()
    W1, b1, W2, b2 = module.to(X.dtype).parameters()
    optimizer = torch.optim.Adam(
        [{"params": [W1, W2], "weight_decay": problem.alpha / n}, {"params": [b1, b2]}], lr=RATE
    )
    for _ in range(epochs):
        for rows in torch.randperm(n).split(BATCH):
            loss = criterion(module(X[rows]), y[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return Outcome(_torch_network(module), epochs)


def skorch_fit(problem: Problem, epochs: int) -> Outcome:
    """`skorch.NeuralNetClassifier`, or its binary form, without output and validation split."""
    torch, skorch = require("torch"), require("skorch")
    module, n = _torch_module(problem), len(problem.y)
    binary = module[2].out_features == 1
    y = problem.y.astype(problem.X.dtype) if binary else problem.y.astype(np.int64)
    kind = skorch.NeuralNetBinaryClassifier if binary else skorch.NeuralNetClassifier
    decay = {"weight_decay": problem.alpha / n}
    net = kind(
        torch.nn.Sequential(module, torch.nn.Flatten(0)) if binary else module,
        criterion=torch.nn.BCEWithLogitsLoss if binary else torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        optimizer__param_groups=[("*weight", decay)],
        lr=RATE,
        batch_size=BATCH,
        max_epochs=epochs,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    )
    net.fit(problem.X, y)
    return Outcome(_torch_network(net.module_), epochs)


def nnet(problem: Problem, max_iter: int) -> Outcome:
    """R's nnet, which times itself: neither the start of R nor the exchange of files counts."""
    rscript = shutil.which("Rscript")
    if rscript is None:
        raise Missing("Rscript is not installed")
    d, h, classes = problem.X.shape[1], problem.hidden_units, int(problem.y.max()) + 1
    k = 1 if classes == 2 else classes
    Y = problem.y[:, None] if k == 1 else np.eye(k)[problem.y]
    # weights unit by unit, the intercept first; nnet's penalty has no factor 1/2
    of_unit = [np.r_[0.0, np.ones(m)] for m in [d] * h + [h] * k]
    decay = 0.5 * problem.alpha * np.concatenate(of_unit)
    with tempfile.TemporaryDirectory() as folder:
        for name, values in (("x", problem.X), ("y", Y), ("decay", decay)):
            np.savetxt(Path(folder, f"{name}.csv"), values, delimiter=",")
        command = [rscript, str(Path(__file__).with_name("nnet.R")), folder, str(h), str(max_iter)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise Missing(f"Rscript failed: {' '.join(done.stderr.split())}")
        weights = np.loadtxt(Path(folder, "weights.csv"))
    seconds, reached = done.stdout.split()
    first, second = np.split(weights, [h * (d + 1)])
    first, second = first.reshape(h, d + 1), second.reshape(k, h + 1)
    network = Network(first[:, 1:].T, first[:, 0], second[:, 1:].T, second[:, 0])
    return Outcome(network, max_iter if reached == "1" else None, float(seconds))
