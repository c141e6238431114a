"""Measure the speed and memory of sk_mlp beside its peers; see README.md in this directory."""

import argparse
import contextlib
import json
import math
import os
import select
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
from _machine import cpu_seconds, machine, watch_others
from _rows import Row, all_rows
from report import RESULTS, slope_table, speed_table

ROOT = str(Path(__file__).resolve().parents[1])
MIN_SECONDS = 0.2  # a shorter call is repeated
WARM_UP_SECONDS = 2.0  # a first call that takes longer counts: it is not due to imports
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
BASE = "before"  # the side that is an earlier commit


def worker(row: str, side: str, options: argparse.Namespace) -> None:
    """Prepare a side, and run it as many times as a line of standard input says; 0: figures."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # for the progress bar
    sides = {r.name: r for r in all_rows(options.data)}[row].sides
    run, figures = sides["ours" if side == BASE else side](options)
    print("ready", file=answers, flush=True)
    for calls in map(int, sys.stdin):
        if calls:
            start, cpu = time.perf_counter(), cpu_seconds()
            for _ in range(calls):
                result = run()
            seconds, cpu = time.perf_counter() - start, cpu_seconds() - cpu
            answer = {"seconds": seconds / calls, "cpu": cpu / calls}
        else:
            answer = figures(result)
        print(json.dumps(answer), file=answers, flush=True)


class Side:
    """A side in a process of its own, and the memory that it has added at its peak."""

    def __init__(self, row: str, name: str, threads: int, path: str) -> None:
        command = [sys.executable, __file__, *sys.argv[1:], "--worker", row, name]
        environment = os.environ | dict.fromkeys(THREADS, str(threads))
        # no ConvergenceWarning: iterations end here on purpose
        environment |= {"PYTHONPATH": path, "PYTHONWARNINGS": "ignore"}
        self.process = subprocess.Popen(
            command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, bufsize=1,
        )  # fmt: skip
        if self.process.stdout.readline() != "ready\n":
            raise SystemExit(f"{row}: {name} cannot be prepared.")
        self.info = psutil.Process(self.process.pid)
        self.start, self.peak, self.calls, self.answers = self._memory(), 0.0, 1, []

    def _memory(self) -> float:
        """Memory in MB, without the pages of files, which the kernel may drop at any time."""
        info = self.info.memory_info()
        return (info.rss - getattr(info, "shared", 0)) / 1e6

    def ask(self, calls: int) -> dict[str, float]:
        """Run it, and follow its memory meanwhile."""
        self.process.stdin.write(f"{calls}\n")
        while not select.select([self.process.stdout], [], [], 0.02)[0]:
            self.peak = max(self.peak, self._memory() - self.start)
        return json.loads(self.process.stdout.readline())

    def time(self, turn: int) -> None:
        """Time some calls, the first time after one that may import something."""
        if turn == 0:
            first = self.ask(1)
            if first["seconds"] > WARM_UP_SECONDS:
                self.answers.append(first)
            elif first["seconds"] < MIN_SECONDS:
                self.calls = math.ceil(MIN_SECONDS / self.ask(10)["seconds"])
        if len(self.answers) <= turn:
            self.answers.append(self.ask(self.calls))

    def summary(self) -> dict[str, float]:
        """Medians of the times, and the figures of the last result."""
        figures = self.ask(0) | {"mb": self.peak}
        for key in ("seconds", "cpu"):
            figures[key] = statistics.median(answer[key] for answer in self.answers)
        return {key: float(f"{value:.4g}") for key, value in figures.items()}


def measure(row: Row, threads: int, options: argparse.Namespace) -> dict[str, Any]:
    """Run the sides of a row in turns."""
    paths = dict.fromkeys(row.sides, ROOT)
    if options.base:
        paths = {"ours": ROOT, BASE: options.base}
    with contextlib.ExitStack() as stack:
        sides = {name: Side(row.name, name, threads, path) for name, path in paths.items()}
        for side in sides.values():
            stack.enter_context(side.process)
        others = watch_others()
        for turn in range(min(options.rounds, row.rounds)):
            for side in sides.values():
                side.time(turn)
        time = "seconds" if threads > 1 or row.wall else "cpu"
        record = {"row": row.name, "threads": threads, "time": time, "goal": row.goal}
        record |= {"others": others()}
        return record | {"sides": {name: side.summary() for name, side in sides.items()}}


def write(path: Path, records: list[Any]) -> None:
    """Put the records in the file, in place of those of the same row and threads."""
    old = json.loads(path.read_text())["rows"] if path.exists() else []
    rows = {(r["row"], r["threads"]): r for r in old + records}
    path.write_text(json.dumps({"machine": machine(), "rows": list(rows.values())}) + "\n")


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--only", nargs="+", default=[""], metavar="TEXT", help="rows whose name contains one")
    add("--list", action="store_true", help="print the names of the rows")
    add("--threads", type=int, nargs="+", help="of the numbers of threads of a row, only these")
    add("--rounds", type=int, default=99, help="at most so many")
    add("--data", help="directory with a load.py, for the rows on real data")
    add("--base", help="another checkout of sk_mlp to compare with, instead of the peers")
    add("--small", action="store_true", help="tiny problems: does it run?")
    add("--results", metavar="NAME", help="write to results/NAME.json for report.py")
    add("--worker", nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


def main() -> None:
    """Run the rows asked for."""
    options = parse()
    if options.worker:
        worker(*options.worker, options)
        return
    rows = [r for r in all_rows(options.data) if any(text in r.name for text in options.only)]
    if options.list:
        print(*[row.name for row in rows], sep="\n")
        return
    print(machine())
    records = []
    for row in [row for row in rows if not options.base or "ours" in row.sides]:
        for threads in sorted(set(row.threads) & set(options.threads or row.threads)):
            records.append(measure(row, threads, options))
            print(json.dumps(records[-1]), flush=True)
            if options.results:
                write(RESULTS / f"{options.results}.json", records)
    print("", speed_table(records), slope_table(records), sep="\n")


if __name__ == "__main__":
    main()
