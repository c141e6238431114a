"""Draw the ratios that compare.py --json wrote: python plot_ratios.py results.json ratios.png."""

import json
import sys
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")
import matplotlib.pyplot as plt
from matplotlib.ticker import LogLocator

COLORS = {"one": "tab:blue", "default": "tab:orange"}


def main(source: str, target: str) -> None:
    """Draw a bar for every line of the table that is a ratio of times."""
    content = json.loads(Path(source).read_text())
    results = [r for r in content["results"] if "row" in r and r["limit"] is None]
    rows = list(dict.fromkeys(r["row"] for r in results))
    fig, ax = plt.subplots(figsize=(8, 1 + 0.28 * len(rows)), layout="constrained")
    height = 0.38
    for threads, shift in (("one", -height / 2), ("default", height / 2)):
        mine = [r for r in results if r["threads"] == threads]
        ax.barh(
            [rows.index(r["row"]) + shift for r in mine],
            [r["ratio"] - 1 for r in mine],
            height,
            left=1.0,
            color=COLORS[threads],
            label=f"threads: {threads}",
        )
    targets = {r["row"]: r["target"] for r in results}
    ax.plot([targets[row] for row in rows], range(len(rows)), "k|", markersize=12, label="target")
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter("")
    ax.axvline(1.0, color="0.3", linewidth=0.8)
    ax.set(
        xlabel="time of the peer / time of sk_mlp (more is better)",
        yticks=range(len(rows)),
        yticklabels=rows,
        title="{processor}, {cores} cores, {date}".format(**content["machine"]),
    )
    ax.invert_yaxis()
    fig.legend(loc="outside lower center", ncols=3)
    fig.savefig(target, dpi=120)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(*sys.argv[1:])
