"""Compare the speed of sk_mlp with that of its peers; see README.md in this directory.

Each pair runs in turns in one process; the figures are medians over the rounds.
"""

import argparse
import json
import math
import statistics
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
from _common import MIN_SECONDS, alternate, synthetic, threads
from _machine import BUSY, Neighbours, machine, print_machine
from _peers import Missing, ours
from _rows import ONE, Options, Row, all_rows

COLUMNS = (
    ("row", 28), ("threads", 7), ("peer", 20), ("ours", 9), ("theirs", 9), ("ratio", 6),
    ("target", 7), ("met", 3), ("our loss", 9), ("their loss", 10), ("iterations", 10),
    ("others", 6),
)  # fmt: skip


def measure(row: Row, number: str, rounds: int, options: Options) -> dict[str, Any]:
    """Run one row with one number of threads."""
    with threads(1 if number == ONE else None):
        pair = row.make(options)
        min_seconds = 0.0 if options.small else MIN_SECONDS
        with Neighbours() as neighbours:
            costs, outcomes = alternate(
                (pair.ours, pair.peer), min(rounds, row.max_rounds), min_seconds
            )
    losses = [None, None]
    if pair.loss is not None:
        losses = [float(pair.loss(outcome.result)) for outcome in outcomes]
    ratio = costs[1] / costs[0] if costs[0] > 0 else math.inf
    if row.limit is None:
        met = ratio >= row.target
    else:
        met = (costs[0] if row.limit == "MB" else 1 / ratio) <= row.target
    return {
        "row": row.name,
        "threads": number,
        "peer": row.peer,
        "ours": costs[0],
        "theirs": costs[1],
        "ratio": ratio,
        "target": row.target,
        "limit": row.limit,
        "met": met,
        "losses": losses,
        "iterations": [outcome.n_iter for outcome in outcomes],
        "others": neighbours.cores,
    }


def number(value: float | None) -> str:
    """Three or four digits."""
    return "" if value is None else f"{value:.4g}"


def table_line(cells: Any) -> str:
    """One line of a Markdown table."""
    padded = [f"{cell!s:<{w}}" for cell, (_, w) in zip(cells, COLUMNS, strict=True)]
    return "| " + " | ".join(padded) + " |"


def format_cost(seconds: float, limit: str | None) -> str:
    """Seconds with a unit, or MB."""
    if limit == "MB":
        return f"{seconds:.0f} MB"
    return f"{seconds * 1e3:.3g} ms" if seconds < 1 else f"{seconds:.3g} s"


def line(result: dict[str, Any]) -> str:
    """One line of the table for one result."""
    limit, ratio = result["limit"], result["ratio"]
    shown = 1 / ratio if limit == "ratio" else ratio
    target = {None: ">= {:g}", "ratio": "<= {:g}", "MB": "{:g} MB"}[limit]
    iterations = result["iterations"]
    counts = "" if iterations == [None, None] else "/".join(str(n or "?") for n in iterations)
    costs = [format_cost(result[side], limit) for side in ("ours", "theirs")]
    return table_line(
        (
            result["row"], result["threads"], result["peer"], *costs, f"{shown:.2f}",
            target.format(result["target"]), "yes" if result["met"] else "NO",
            *map(number, result["losses"]), counts, f"{result['others']:.2f}",
        )
    )  # fmt: skip


def slopes(options: Options) -> Iterator[tuple[str, list[int], list[float]]]:
    """Time of two full-batch iterations, with one thread, against each size of the problem."""
    base = {"n": 1_000 if options.small else 20_000, "d": 64, "h": 64}
    for axis, title in (("n", "rows"), ("d", "features"), ("h", "hidden units")):
        sizes = [base[axis] * factor for factor in ((1, 2) if options.small else (1, 2, 4, 8))]
        times = []
        for size in sizes:
            n, d, h = (base | {axis: size}).values()
            p = synthetic(n, d, 2, h, "relu", 1.0)
            with threads(1):
                times.append(alternate([partial(ours, p, "lbfgs", 2)], 3)[0][0])
        yield title, sizes, times


def print_slopes(options: Options) -> list[dict[str, Any]]:
    """Cost against size, with the exponent of the power law that fits best."""
    print("\n| cost of a fit against | sizes | seconds | exponent (1 is linear) |")
    print("| --- | --- | --- | --- |")
    results = []
    for title, sizes, times in slopes(options):
        exponent = float(np.polyfit(np.log(sizes), np.log(times), 1)[0])
        seconds = ", ".join(f"{t:.3g}" for t in times)
        print(f"| {title} | {', '.join(map(str, sizes))} | {seconds} | {exponent:.2f} |")
        results.append({"slope": title, "sizes": sizes, "times": times, "exponent": exponent})
    return results


def print_table(rows: list[Row], rounds: int, options: Options) -> list[dict[str, Any]]:
    """Run the rows, printing each as soon as it is known."""
    results: list[dict[str, Any]] = []
    skipped = []
    print("\n" + table_line([title for title, _ in COLUMNS]))
    print(table_line(["-" * width for _, width in COLUMNS]))
    for row in rows:
        try:
            for threads_ in row.threads:
                results.append(measure(row, threads_, rounds, options))
                print(line(results[-1]), flush=True)
        except Missing as reason:
            skipped.append(f"{row.name}: skipped, {reason}.")
    print("", *skipped, sep="\n")
    names = {r["row"] for r in results}
    missed = sorted({r["row"] for r in results if not r["met"]})
    print(f"{len(names) - len(missed)} of {len(names)} rows meet their target in every line.")
    if missed:
        print("Missed: " + ", ".join(missed))
    busy = [r["others"] for r in results if r["others"] > BUSY]
    if busy:
        print(
            f"WARNING: during {len(busy)} of {len(results)} lines other processes used more than "
            f"{BUSY:g} core (median {statistics.median(busy):.1f}); do not trust the times."
        )
    return results


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", default=[""], metavar="TEXT",
                        help="rows whose name contains one of these (see --list)")  # fmt: skip
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--list", action="store_true", help="print the names of the rows")
    parser.add_argument("--small", action="store_true", help="tiny problems: try the script")
    parser.add_argument("--data", help="directory with a load.py, for the real text data")
    parser.add_argument("--json", help="write machine and results to this file")
    return parser.parse_args()


def main() -> None:
    """Run the rows asked for."""
    arguments = parse()

    def chosen(name: str) -> bool:
        return any(text in name for text in arguments.only)

    rows = [row for row in all_rows() if chosen(row.name)]
    with_slopes = chosen("slopes")
    if not rows and not with_slopes:
        raise SystemExit("No row has such a name; --list prints them.")
    if arguments.list:
        print(*[row.name for row in rows], *["slopes"] * with_slopes, sep="\n")
        return
    options = Options(arguments.small, arguments.data)
    info = machine()
    print_machine(info)
    results = print_table(rows, arguments.rounds, options) if rows else []
    if with_slopes:
        results += print_slopes(options)
    print("load average afterwards: {:.2f} {:.2f} {:.2f}".format(*machine()["load"]))
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump({"machine": info, "results": results}, file, indent=1)


if __name__ == "__main__":
    main()
