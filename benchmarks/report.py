"""Records to tables: python report.py writes those of README.md and the picture.

A table stands between ``<!-- FILE TABLE -->`` and ``<!-- end -->``, where FILE is the name of a
file in results without its suffix and TABLE a kind of table. No figure is typed.
"""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

RESULTS = Path(__file__).parent / "results"
Record = dict[str, Any]
Summary = Sequence[Record]  # means over the folds, one record for each set and classifier
MEANS = ["log_loss", "accuracy", "cpu", "warned", "others"]
REFERENCES = ("mlp", "logistic", "hgb", "realmlp")


def markdown(head: str, lines: Iterable[Sequence[Any]]) -> str:
    """Lay out a table, its first column to the left."""
    rule = "| --- |" + " ---: |" * (head.count("|") - 2)
    return "\n".join([head, rule, *("| " + " | ".join(map(str, x)) + " |" for x in lines), ""])


def summarise(records: Sequence[Record]) -> Summary:
    """Means over the folds that all classifiers of a set have."""
    table = pd.DataFrame(records)
    in_fold = table.groupby(["set", "fold"])["model"].transform("nunique")
    table = table[in_fold == table.groupby("set")["model"].transform("nunique")]
    groups = table.groupby(["set", "model"], sort=False)
    means = groups[MEANS].mean().round(5).assign(folds=groups.size())
    return means.reset_index().to_dict("records")


def wide(summary: Summary, key: str = "log_loss") -> pd.DataFrame:
    """Means of the sets (rows) and classifiers (columns)."""
    return pd.DataFrame(summary).pivot(index="set", columns="model", values=key)


def geometric_mean(ratios: pd.Series) -> float:
    """Geometric mean over the sets that have the ratio."""
    return float(np.exp(np.log(ratios).mean()))


def cells(ratios: pd.Series) -> list[Any]:
    """Number of sets, geometric mean, worst set, and how many are below one."""
    worst = f"{ratios.max():.2f} ({ratios.idxmax()})"
    return [ratios.count(), f"{geometric_mean(ratios):.3f}", worst, (ratios < 1).sum()]


def plain(summary: Summary) -> list[str]:
    """Names of the classifiers with all defaults and scaled data."""
    models = dict.fromkeys(r["model"] for r in summary)
    return [model for model in models if model != "prior" and not re.search(r"[(@]", model)]


def against_table(summary: Summary) -> str:
    """Compare every other classifier with each reference, over the sets that both have."""
    losses, accuracy, cpu, warned = (wide(summary, key) for key in MEANS[:4])
    lines = []
    for reference in [x for x in (*REFERENCES, "ours_cv") if x in losses]:
        for model in [m for m in plain(summary) if m not in (*REFERENCES, reference)]:
            points = 100 * (accuracy[model] - accuracy[reference]).mean()
            time = geometric_mean(cpu[model] / cpu[reference])
            result = cells(losses[model] / losses[reference])
            rest = (f"{points:+.2f}", f"{time:.3g}", (warned[model] > 0).sum())
            lines.append((f"{model} / {reference}", *result, *rest))
    head = "| | sets | log-loss, geometric mean of ratios | worst | better on | accuracy, points "
    return markdown(head + "| CPU time, geometric mean | sets with ConvergenceWarning |", lines)


def per_set_table(summary: Summary) -> str:
    """Log-loss of every classifier on every set."""
    models = plain(summary)
    table = wide(summary).reindex(dict.fromkeys(r["set"] for r in summary))[models]
    lines = [(name, *(f"{x:.4f}" for x in losses)) for name, *losses in table.itertuples()]
    return markdown(f"| log-loss | {' | '.join(models)} |", lines if models else [])


def small_table(summary: Summary) -> str:
    """alpha="auto" beside the best fixed alpha in hindsight, and the base rate."""
    losses, lines = wide(summary), []
    for model in [r["model"] for r in summary if r["model"].endswith("alpha=auto)")]:
        network = model.removesuffix("auto)")
        fixed = [m for m in losses if m.startswith(network) and m != model]
        regret = cells(losses[model] / losses[fixed].min(axis=1))[:3]
        worse = losses.index[losses[model] > losses["prior"]]
        lines.append((network[5:-8], *regret, ", ".join(worse) or "none"))
    head = "| network | sets | log-loss / best fixed alpha, geometric mean | worst "
    return markdown(head + "| worse than the base rate |", dict.fromkeys(lines))


def changed_table(summary: Summary) -> str:
    """One option or preparation changed, beside the same classifier without the change."""
    losses, cpu, lines = wide(summary), wide(summary, "cpu"), []
    for model in dict.fromkeys(r["model"] for r in summary):
        base, _, change = model.rstrip(")").rpartition(max("@", ", ", "(", key=model.rfind))
        base += ")" * ("(" in base)
        if base in losses:
            time = f"{geometric_mean(cpu[model] / cpu[base]):.2f}"
            lines.append((change, base, *cells(losses[model] / losses[base]), time))
    head = "| changed | of | sets | log-loss, geometric mean of ratios | worst | better on "
    return markdown(head + "| CPU time, geometric mean |", lines)


TABLES = {
    "summary": against_table,
    "sets": per_set_table,
    "small": small_table,
    "changed": changed_table,
}


def quality_tables(summary: Summary) -> str:
    """Return every table that has lines."""
    tables = [make(summary) for make in TABLES.values()]
    return "\n".join(table for table in tables if table.count("\n") > 2)


def duration(seconds: float) -> str:
    """Three digits, with a unit."""
    unit, factor = ("s", 1.0) if seconds >= 1 else ("ms", 1e3) if seconds >= 1e-3 else ("us", 1e6)
    return f"{seconds * factor:.3g} {unit}"


def is_slope(record: Record) -> bool:
    """Return True for a row whose sides are sizes of a problem."""
    return all(side.isdigit() for side in record["sides"])


def speed_table(records: Sequence[Record]) -> str:
    """Time, loss and memory of the first side of each row and of its peers."""
    lines = []
    for r in [r for r in records if not is_slope(r)]:
        ours, *_ = r["sides"].values()
        for side, figures in r["sides"].items():
            time, loss = figures[r["time"]], figures.get("loss")
            ratio = "" if figures is ours else f"{time / ours[r['time']]:.2f}"
            kind = "CPU" if r["time"] == "cpu" else f"wall, {r['others']}"
            shown = "" if loss is None else f"{loss:.4f}"
            work = (r["row"], r["threads"], kind) if figures is ours else ("", "", "")
            goal = r["goal"] if figures is ours else ""
            lines.append((*work, side, duration(time), ratio, goal, shown, f"{figures['mb']:.0f}"))
    head = "| work | threads | time, other cores | | median | / ours | goal | loss | MB |"
    return markdown(head, lines)


def slope_table(records: Sequence[Record]) -> str:
    """Cost against size, with the exponent of the power law through both ends."""
    lines = []
    for r in filter(is_slope, records):
        sizes, times = list(r["sides"]), [side[r["time"]] for side in r["sides"].values()]
        exponent = np.log(times[-1] / times[0]) / np.log(int(sizes[-1]) / int(sizes[0]))
        shown = ", ".join(map(duration, times))
        lines.append((r["row"], ", ".join(sizes), shown, f"{exponent:.2f}"))
    return markdown("| cost against | sizes | CPU time | exponent |", lines)


def fill(text: str) -> str:
    """Write the tables between their markers; those without results stay as they are."""

    def block(found: re.Match[str]) -> str:
        path = RESULTS / f"{found['file']}.json"
        if not path.exists():
            return found[0]
        content = json.loads(path.read_text())
        makers = TABLES | {"speed": speed_table, "slopes": slope_table}
        maker = makers.get(found["table"])
        table = maker(content["rows"]) if maker else content["machine"] + "\n"
        return f"{found[1]}\n\n{table}\n<!-- end -->"

    marker = r"(<!-- (?P<file>[\w-]+) (?P<table>[\w-]+) -->)\n.*?<!-- end -->"
    return re.sub(marker, block, text, flags=re.DOTALL)


def draw_ratios(records: Sequence[Record], path: Path) -> None:
    """Draw the time of each peer over ours."""
    import matplotlib.pyplot as plt

    records = [r for r in records if next(iter(r["sides"])) == "ours"]
    rows = list(dict.fromkeys(r["row"] for r in records))
    points: dict[tuple[str, int], list[tuple[float, int]]] = {}
    for r in records:
        for peer, theirs in list(r["sides"].items())[1:]:
            ratio = theirs[r["time"]] / r["sides"]["ours"][r["time"]]
            points.setdefault((peer, r["threads"]), []).append((ratio, rows.index(r["row"])))
    markers = dict(zip(dict.fromkeys(peer for peer, _ in points), "os^vDPX*", strict=False))
    fig, ax = plt.subplots(figsize=(8, 1 + 0.25 * len(rows)), layout="constrained")
    for (peer, threads), at in points.items():
        label, color = f"{peer}, threads: {threads}", f"C{threads - 1}"
        ax.plot(*zip(*at, strict=True), markers[peer], color=color, fillstyle="none", label=label)
    ax.axvline(1.0, color="0.3", linewidth=0.8)
    ax.grid(axis="x", color="0.9")
    ax.set(xlabel="time of the peer / time of sk_mlp (more is better)", xscale="log")
    ax.set_yticks(range(len(rows)), rows)
    ax.xaxis.set_major_formatter("{x:g}")
    ax.invert_yaxis()
    fig.legend(loc="outside lower center", ncols=2)
    fig.savefig(path, dpi=120)


if __name__ == "__main__":
    readme = Path(__file__).with_name("README.md")
    readme.write_text(fill(readme.read_text()))
    speed = json.loads((RESULTS / "speed.json").read_text())
    draw_ratios(speed["rows"], Path(__file__).with_name("ratios.png"))
