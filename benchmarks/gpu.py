"""How fast sk_mlp is on a GPU: beside bare matrix products, PyTorch, and the CPU.

objective   loss and gradient, against the five matrix products that no method avoids
epoch       an epoch of Adam, against a plain PyTorch loop that does the same steps
fit         a fit with all defaults, against the same fit with NumPy on the CPU

The same code runs in all rows; only the arrays differ. Everything is in float32. A time ends
when a number that depends on all the work has arrived on the host.
"""

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from typing import Any, NamedTuple

os.environ["SCIPY_ARRAY_API"] = "1"  # read when SciPy is imported

import numpy as np
import torch
from _machine import machine, print_machine
from sklearn import config_context

from sk_mlp import TwoLayerMLPClassifier
from sk_mlp._backend.rows import gradient_rows, row_blocks
from sk_mlp._network.minibatches import Minibatches
from sk_mlp._network.network import Network
from sk_mlp._network.objective import Objective, Rows
from sk_mlp._network.parameters import IDENTITY, Layout, initial_parameters
from sk_mlp._solvers import Progress, adam, take_step

ALPHA, RATE = 1.0, 1e-3


class Size(NamedTuple):
    """Rows, network and batch of a row of the table."""

    n_rows: int
    layout: Layout
    batch_size: int = 0


LARGE = Size(1_000_000, Layout(500, 1024, 10), 8192)
SIZES = {"objective": LARGE, "epoch": LARGE, "fit": Size(200_000, Layout(134, 256, 10))}
SMALL = Size(500, Layout(6, 8, 3), 128)
TARGETS = {"objective": "at most 1.5", "epoch": "at most 2", "fit": ""}

Timed = Callable[[], Any]


def draw(size: Size, device: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw data on the device: normal features, classes by a random network with noise."""
    d, _, k = size.layout
    torch.manual_seed(0)
    W1, W2 = torch.randn(d, 16, device=device) / d**0.5, torch.randn(16, k, device=device)
    X = torch.randn(size.n_rows, d, device=device)
    S = torch.tanh(2 * X @ W1) @ W2
    return X, torch.argmax(S + torch.randn_like(S), dim=1)


def objective_of(X: torch.Tensor, y: torch.Tensor, layout: Layout) -> Objective:
    """Return the objective on features as they are."""
    network = Network.named(layout, "relu", "softmax")
    return Objective(network, Rows(X, y, None), IDENTITY, ALPHA)


def first_parameters(layout: Layout) -> np.ndarray:
    """Draw the random start, the same in every row."""
    rng = np.random.RandomState(0)
    return initial_parameters(layout, 1.0, rng, np.zeros(layout.n_outputs))


def objective(size: Size, device: str) -> tuple[Timed, Timed]:
    """One evaluation, and the products X W1, H W2, H'R, R W2' and X'D of the same blocks."""
    X, y = draw(size, device)
    loss, params = objective_of(X, y, size.layout), first_parameters(size.layout)
    on_device = torch.asarray(params, dtype=X.dtype, device=device)
    W1, _, W2, _ = size.layout.views(on_device)
    residual = torch.randn(size.n_rows, size.layout.n_outputs, device=device)
    step = gradient_rows(X, size.layout.hidden_units)

    def products() -> float:
        for block in row_blocks(0, size.n_rows, step):
            H = X[block] @ W1
            _ = H @ W2
            _ = H.T @ residual[block]
            D = residual[block] @ W2.T
            G = X[block].T @ D
        return float(G[0, 0])

    return lambda: loss.loss_gradient(params), products


def epoch(size: Size, device: str) -> tuple[Timed, Timed]:
    """Make passes of Adam over shuffled batches, ours and written by hand."""
    X, y = draw(size, device)
    layout = size.layout
    rng = np.random.RandomState(0)
    batches = Minibatches(objective_of(X, y, layout), size.batch_size, rng)
    rule = adam(0.9, 0.999)
    progress = Progress.start(batches.place(first_parameters(layout)), rule)

    def take(step: Any) -> None:
        nonlocal progress
        progress = take_step(rule, progress, step, RATE)

    def ours() -> float:
        return batches.epoch(progress.params, take)

    module = torch.nn.Sequential(
        torch.nn.Linear(layout.n_features, layout.hidden_units),
        torch.nn.ReLU(),
        torch.nn.Linear(layout.hidden_units, layout.n_outputs),
    ).to(device)
    decay = {True: ALPHA / size.n_rows, False: 0.0}  # of weights and of intercepts
    groups = [{"params": [p], "weight_decay": decay[p.ndim == 2]} for p in module.parameters()]
    optimizer = torch.optim.Adam(groups, lr=RATE)

    def by_hand() -> float:
        order = torch.randperm(size.n_rows, device=device)
        total = torch.zeros((), device=device)
        for rows in order.split(size.batch_size):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(module(X[rows]), y[rows])
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(rows)
        return float(total) / size.n_rows

    return ours, by_hand


def fit(size: Size, device: str) -> tuple[Timed, Timed]:
    """Fit the same on the device and on the CPU, of data that are already there."""
    X, y = draw(size, device)
    X_host, y_host = X.cpu().numpy(), y.cpu().numpy()
    model = TwoLayerMLPClassifier(size.layout.hidden_units, random_state=0)

    def on_host() -> float:
        with config_context(array_api_dispatch=False):
            return model.fit(X_host, y_host).loss_

    return lambda: model.fit(X, y).loss_, on_host


ROWS = {"objective": objective, "epoch": epoch, "fit": fit}


def measure(name: str, size: Size, device: str, rounds: int) -> dict[str, Any]:
    """Median times of both sides, in turns; a first call of each is not counted."""
    sides = ROWS[name](size, device)
    times: tuple[list[float], list[float]] = ([], [])
    for counted in [False] + [True] * rounds:
        for side, seconds in zip(sides, times, strict=True):
            begin = time.perf_counter()
            side()
            if counted:
                seconds.append(time.perf_counter() - begin)
    ours, reference = (statistics.median(seconds) for seconds in times)
    return {"name": name, "ours": ours, "reference": reference, "ratio": ours / reference}


def device_name(device: str) -> str:
    """Name of the card, or of the device."""
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else device


def main() -> None:
    """Measure the rows that were asked for and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--device", default="cuda", help="PyTorch device, by default cuda")
    parser.add_argument("--only", nargs="+", choices=list(ROWS), default=list(ROWS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--small", action="store_true", help="does it run? the times mean nothing")
    parser.add_argument("--json", help="file to write the results to")
    options = parser.parse_args()
    try:
        torch.zeros(1, device=options.device)
    except (RuntimeError, AssertionError) as error:
        parser.error(f"PyTorch {torch.__version__} has no device {options.device!r}: {error}")
    info = machine()
    info["device"] = device_name(options.device)
    info["float32_matmul_precision"] = torch.get_float32_matmul_precision()
    print_machine(info)
    print(f"device: {info['device']}; float32 products: {info['float32_matmul_precision']}\n")
    print("| row | ours [s] | reference [s] | ours / reference | target |")
    print("| --- | ---: | ---: | ---: | --- |")
    results = []
    with config_context(array_api_dispatch=True):
        for name in options.only:
            size = SMALL if options.small else SIZES[name]
            result = measure(name, size, options.device, options.rounds)
            results.append(result)
            print(
                f"| {name} | {result['ours']:.4f} | {result['reference']:.4f} "
                f"| {result['ratio']:.2f} | {TARGETS[name]} |",
                flush=True,
            )
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"machine": info, "results": results}, file, indent=1)


if __name__ == "__main__":
    main()
