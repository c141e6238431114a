"""The tables that quality.py prints from its records."""

import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np
from _machine import BUSY
from _models import steps

Record = dict[str, Any]


def by_key(records: Sequence[Record]) -> dict[tuple[str, str], dict[int, Record]]:
    """Group the records of the folds by (set, model)."""
    groups: dict[tuple[str, str], dict[int, Record]] = {}
    for record in records:
        groups.setdefault((record["set"], record["model"]), {})[record["fold"]] = record
    return groups


def sets_of(records: Sequence[Record]) -> list[str]:
    """Names of the data sets, in their order."""
    return list(dict.fromkeys(record["set"] for record in records))


def ratios(
    records: Sequence[Record], model: str, reference: str, key: str
) -> dict[str, tuple[float, float]]:
    """Mean over the folds that both have, of model and reference, for each data set."""
    groups, pairs = by_key(records), {}
    for name in sets_of(records):
        ours, theirs = groups.get((name, model), {}), groups.get((name, reference), {})
        folds = sorted(ours.keys() & theirs.keys())
        if folds:
            pairs[name] = (
                statistics.mean(ours[fold][key] for fold in folds),
                statistics.mean(theirs[fold][key] for fold in folds),
            )
    return pairs


def geometric_mean(pairs: dict[str, tuple[float, float]]) -> float:
    """Geometric mean of the ratios."""
    return float(np.exp(np.mean([np.log(a / b) for a, b in pairs.values()])))


def print_per_set(records: Sequence[Record], models: Sequence[str]) -> None:
    """Log-loss of every classifier on every data set."""
    print("\n| log-loss | " + " | ".join(models) + " |")
    print("| --- |" + " ---: |" * len(models))
    groups = by_key(records)
    for name in sets_of(records):
        cells = []
        for model in models:
            folds = groups.get((name, model), {}).values()
            mean = statistics.mean(r["log_loss"] for r in folds) if folds else None
            cells.append("" if mean is None else f"{mean:.4f}")
        print(f"| {name} | " + " | ".join(cells) + " |")


def print_summary(records: Sequence[Record], models: Sequence[str], reference: str) -> None:
    """Print every classifier against one of them, over the data sets that both can do."""
    print(
        f"\n| against {reference} | sets | log-loss, geometric mean of ratios | worst ratio | "
        "better log-loss on | accuracy, points | fit time, geometric mean of ratios | "
        "sets with ConvergenceWarning |"
    )
    print("| --- | ---: | ---: | --- | ---: | ---: | ---: | ---: |")
    for model in models:
        losses = ratios(records, model, reference, "log_loss")
        if not losses:
            continue
        worst = max(losses, key=lambda name: losses[name][0] / losses[name][1])
        wins = sum(a < b for a, b in losses.values())
        accuracy = ratios(records, model, reference, "accuracy")
        points = 100 * statistics.mean(a - b for a, b in accuracy.values())
        times = geometric_mean(ratios(records, model, reference, "seconds"))
        own = [r for r in records if r["model"] == model and r["set"] in losses]
        warned = len({r["set"] for r in own if r["warned"]})
        print(
            f"| {model} | {len(losses)} | {geometric_mean(losses):.3f} "
            f"| {losses[worst][0] / losses[worst][1]:.2f} ({worst}) | {wins} "
            f"| {points:+.2f} | {times:.3g} | {warned} |"
        )


def print_busy(records: Sequence[Record]) -> None:
    """Warn if other processes competed for the processor."""
    busy = sum(record["others"] > BUSY for record in records)
    if busy:
        print(
            f"\nWARNING: during {busy} of {len(records)} fits other processes used more than "
            f"{BUSY:g} core; do not trust the times."
        )


def print_reach(records: Sequence[Record]) -> None:
    """Time until the validation log-loss of our fit is that of the finished mlp."""
    print(
        "\n| set | mlp log-loss | seconds | ours best | last | epochs to mlp's | of | "
        "seconds | share of mlp's |"
    )
    print("| --- |" + " ---: |" * 8)
    groups = by_key(records)
    for name in sets_of(records):
        folds = [groups.get((name, model), {}) for model in ("mlp", "ours", "ours_curve")]
        for number in sorted(folds[0].keys() & folds[1].keys() & folds[2].keys()):
            mlp, ours, curve = (f[number] for f in folds)
            goal, losses = mlp["log_loss"], curve["curve"]
            reached = next((i + 1 for i, loss in enumerate(losses) if loss <= goal), None)
            cells = ["never", len(losses), "", ""]
            if reached is not None:
                seconds = ours["seconds"] * reached / len(losses)
                cells = [reached, len(losses), f"{seconds:.3g}", f"{seconds / mlp['seconds']:.3f}"]
            print(
                f"| {name} ({number}) | {goal:.4f} | {mlp['seconds']:.3g} | {min(losses):.4f} "
                f"| {losses[-1]:.4f} | " + " | ".join(map(str, cells)) + " |"
            )


def print_sensitivity(records: Sequence[Record]) -> None:
    """Print an rst table: what becomes of log-loss and time if one default is changed."""
    print("\n.. list-table:: Ratios to the fit with defaults, geometric means over the data sets")
    print("   :header-rows: 1\n")
    titles = ("Changed", "To", "Log-loss", "Worst set", "Better on", "Fit time")
    lines = [titles]
    for step in steps():
        losses = ratios(records, step.name, step.base_name, "log_loss")
        if not losses:
            continue
        worst = max(losses, key=lambda name: losses[name][0] / losses[name][1])
        wins = sum(a < b for a, b in losses.values())
        times = geometric_mean(ratios(records, step.name, step.base_name, "seconds"))
        given = "".join(f", {name}={value!r}" for name, value in step.base)
        lines.append((
            f"``{step.parameter}``{given}",
            f"{step.change}",
            f"{geometric_mean(losses):.3f}",
            f"{losses[worst][0] / losses[worst][1]:.2f} ({worst})",
            f"{wins} of {len(losses)}",
            f"{times:.2f}",
        ))  # fmt: skip
    for cells in lines:
        print("   * - " + "\n     - ".join(cells))
