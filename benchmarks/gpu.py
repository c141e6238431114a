"""How fast sk_mlp is on a GPU: beside bare matrix products, PyTorch, and the CPU; see README.md."""

import argparse
import json
import os
import statistics
import timeit
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["SCIPY_ARRAY_API"] = "1"  # read when SciPy is imported

import numpy as np
import torch
from _machine import machine
from _peers import Problem, torch_loop
from _peers import ours as fit_equally
from sklearn import config_context

from sk_mlp import TwoLayerMLPClassifier
from sk_mlp._backend.rows import gradient_rows, row_blocks
from sk_mlp._network.network import Network
from sk_mlp._network.objective import Objective, Rows
from sk_mlp._network.parameters import IDENTITY, Layout

Sides = tuple[Callable[[], Any], Callable[[], Any]]


def draw(n: int, d: int, h: int, k: int, device: str) -> Problem:
    """Draw data on the device: normal features, classes by a random network with noise."""
    torch.manual_seed(0)
    W1, W2 = torch.randn(d, 16, device=device) / d**0.5, torch.randn(16, k, device=device)
    X = torch.randn(n, d, device=device)
    S = torch.tanh(2 * X @ W1) @ W2
    y = torch.argmax(S + torch.randn_like(S), dim=1)
    return Problem(X, y, h, "relu", 1.0, batch_size=min(8192, n // 4))


def objective(p: Problem) -> Sides:
    """One evaluation, and the products X W1, H W2, H'R, R W2' and X'D of the same blocks."""
    layout = Layout(p.X.shape[1], p.hidden_units, int(p.y.max()) + 1)
    network = Network.named(layout, p.activation, "softmax")
    loss = Objective(network, Rows(p.X, p.y, None), IDENTITY, p.alpha)
    params = np.random.default_rng(0).normal(scale=0.01, size=layout.size)
    W1, _, W2, _ = layout.views(torch.asarray(params, dtype=p.X.dtype, device=p.X.device))
    residual = torch.randn(len(p.X), layout.n_outputs, device=p.X.device)

    def products() -> float:
        for block in row_blocks(0, len(p.X), gradient_rows(p.X, p.hidden_units)):
            H = p.X[block] @ W1
            _ = H @ W2
            _ = H.T @ residual[block]
            D = residual[block] @ W2.T
            G = p.X[block].T @ D
        return float(G[0, 0])

    return lambda: loss.loss_gradient(params), products


def epochs(p: Problem) -> Sides:
    """Make passes of Adam over shuffled batches, ours and written by hand."""
    return lambda: fit_equally(p, "adam", 5).loss_, lambda: torch_loop(p, "adam", 5)


def fit(p: Problem) -> Sides:
    """Fit the same on the device and on the CPU, of data that are already there."""
    X, y = p.X.cpu().numpy(), p.y.cpu().numpy()
    model = TwoLayerMLPClassifier(p.hidden_units, random_state=0)
    on_host = config_context(array_api_dispatch=False)(lambda: model.fit(X, y).loss_)
    return lambda: model.fit(p.X, p.y).loss_, on_host


LARGE, SMALL = (1_000_000, 500, 1024, 10), (500, 6, 8, 3)
# name -> sides, size, and the ratio that is aimed at
ROWS = {
    "objective": (objective, LARGE, "at most 1.5"),
    "epoch": (epochs, LARGE, "at most 1.2"),
    "fit": (fit, (200_000, 134, 256, 10), ""),
}


def main() -> None:
    """Measure the rows that were asked for and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--device", default="cuda", help="PyTorch device, by default cuda")
    parser.add_argument("--only", nargs="+", choices=list(ROWS), default=list(ROWS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--small", action="store_true", help="does it run? the times mean nothing")
    parser.add_argument("--json", default=os.devnull, help="file to write the results to")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # epochs end on purpose
    card = torch.cuda.get_device_name() if options.device.startswith("cuda") else options.device
    precision = torch.get_float32_matmul_precision()  # "high" is TF32
    info = f"{machine()} Device: {card}; precision of float32 products: {precision}."
    print(f"{info}\n\n| row | ours [s] | reference [s] | ours / reference | target |")
    print("| --- | ---: | ---: | ---: | --- |")
    results = []
    with config_context(array_api_dispatch=True):
        for name in options.only:
            sides, size, target = ROWS[name]
            ours, reference = (
                # without a first call, which may compile something
                statistics.median(timeit.repeat(side, number=1, repeat=options.rounds + 1)[1:])
                for side in sides(draw(*(SMALL if options.small else size), options.device))
            )
            ratio = ours / reference
            results.append({"name": name, "ours": ours, "reference": reference, "ratio": ratio})
            print(f"| {name} | {ours:.4f} | {reference:.4f} | {ratio:.2f} | {target} |", flush=True)
    Path(options.json).write_text(json.dumps({"machine": info, "results": results}))


if __name__ == "__main__":
    main()
