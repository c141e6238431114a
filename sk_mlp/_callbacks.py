"""All contact with `sklearn.callback`, which is experimental and absent below scikit-learn 1.9.

A fit is a task. Its subtasks are leaves, in this order: the values of alpha that are tried, the
restarts but for the last run, and the epochs (of adam and sgd) or iterations (of lbfgs) of the run
that finishes the best of them. So a progress bar, which has a row for every task with subtasks,
has one for a fit. A call to `partial_fit` is a task without subtasks.
"""

import contextlib
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any, TypeVar

from sk_mlp._backend.arrays import Array, to_numpy
from sk_mlp._data.data import Data, fitted_network
from sk_mlp._network.objective import Objective
from sk_mlp._solvers import SolverResult
from sk_mlp._training.alpha import N_ALPHAS
from sk_mlp._training.settings import Settings
from sk_mlp._training.starts import rounds

__all__ = ["CallbackSupportMixin", "CallbackTasks", "with_callbacks"]

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:
    Method = TypeVar("Method")

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stand-in below scikit-learn 1.9: no `set_callbacks`."""

    def with_callbacks(method: Method) -> Method:
        """Stand-in below scikit-learn 1.9: the method itself."""
        return method


# What a progress bar alone is told of a fit: at most so many steps, and none more often. Telling
# it of an iteration takes 60 us, most of it in its thread, as long as an iteration on 500 rows.
STEPS = 100
STEP_SECONDS = 0.05


def _is_propagated(callback: Any) -> bool:
    # what tells the callbacks that `propagate_callback_context` passes on from the others
    return hasattr(callback, "max_propagation_depth")


class CallbackTasks:
    """The tasks of one fit, reported to the callbacks of the estimator.

    Without callbacks nothing happens. With them it is a `Listener` of `sk_mlp._training.train`.
    It must be used inside a method decorated by `with_callbacks`. `X`, `y` and `sample_weight` are
    as the user gave them; callbacks score on them.
    """

    def __init__(self, estimator: Any, X: Any, y: Any, sample_weight: Any) -> None:
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self.of_fit = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self.callbacks = getattr(estimator, "_skl_callbacks", [])
        self.open: list[Any] = []  # contexts from the root to the innermost open task
        self.network: Callable[[Array], dict[str, Any]] = lambda params: {}
        self.iteration_name = "iteration"
        self.in_restart = False
        self.only_bars = all(_is_propagated(callback) for callback in self.callbacks)
        self.n_leaves, self.n_done, self.n_steps = 0, 0, 0
        self.next_step = 0.0  # when a bar is told again, by perf_counter

    def describe(self, objective: Objective, data: Data, iteration_name: str) -> None:
        """Say how to read a solver's vector of parameters, and what an iteration is called."""
        layout, standardization = objective.network.layout, objective.standardization

        def network(params: Array) -> dict[str, Any]:  # only if a callback asks for it
            user = standardization.to_user_units(layout, to_numpy(params))
            return fitted_network(user, layout, data)

        self.network, self.iteration_name = network, iteration_name

    def begin(self, name: str, max_subtasks: int | None = 0) -> None:
        """Open a task inside the innermost open one; the first is the root."""
        if not self.callbacks:
            return
        root = self.of_fit["estimator"]._init_callback_context
        inside = self.open[-1].subcontext if self.open else root
        context = inside(task_name=name, max_subtasks=max_subtasks)
        self.open.append(context)
        context.call_on_fit_task_begin(**self.of_fit)

    def end(self, attributes: Any = None) -> bool:
        """Close the innermost open task; returns whether a callback asks to stop.

        `attributes` are those of an estimator fitted until here, or a function that returns them.
        """
        if not self.callbacks:
            return False
        context = self.open.pop()
        return bool(
            context.call_on_fit_task_end(**self.of_fit, reconstruction_attributes=attributes)
        )

    @contextlib.contextmanager
    def sub_fit(self, name: str, estimator: Any) -> Iterator[None]:
        """Let the fit of another estimator be a task, and tell the same callbacks of it."""
        if not self.callbacks:
            yield
            return
        estimator.set_callbacks(*(c for c in self.callbacks if not _is_propagated(c)))
        try:
            with self.open[-1].subcontext(task_name=name).propagate_callback_context(estimator):
                yield
        finally:
            estimator.set_callbacks()

    def begin_fit(self, settings: Settings) -> None:
        """Open the task of a fit, which is the root."""
        n_alphas = N_ALPHAS if self.of_fit["estimator"].alpha == "auto" else 0
        self.n_leaves = n_alphas + sum(rounds(settings.n_init)) - 1 + settings.max_iter
        self.begin("fit", min(STEPS, self.n_leaves) if self.only_bars else self.n_leaves)

    def begin_leaf(self, name: str) -> None:
        """Open a task of the fit that has no subtasks."""
        if not self.only_bars:
            self.begin(name)

    def end_leaf(self, attributes: Any = None) -> bool:
        """Close it; returns whether a callback asks to stop. See `end`."""
        if not self.only_bars:
            return self.end(attributes)
        self.n_done += 1
        if self.callbacks and perf_counter() > self.next_step:
            self.next_step = perf_counter() + STEP_SECONDS
            due = self.n_done * min(STEPS, self.n_leaves) // self.n_leaves
            for _ in range(self.n_steps, due):
                self.begin("step")
                self.end()
            self.n_steps = due
        return False

    def begin_run(self, run: int, n_runs: int, max_iter: int) -> None:
        """Open the task of a run that may be dropped."""
        self.in_restart = run < n_runs - 1
        if self.in_restart:
            self.begin_leaf("restart")

    def begin_iteration(self) -> None:
        """Open the task of an iteration, unless it is part of a restart."""
        if not self.in_restart:
            self.begin_leaf(self.iteration_name)

    def end_iteration(
        self, iteration: int, x: Array, loss: float, validation_loss: float | None
    ) -> bool:
        """Close the task of an iteration."""
        return not self.in_restart and self._end_at(x, loss, iteration)

    def end_run(self, result: SolverResult) -> bool:
        """Close the task of a restart."""
        if self.in_restart:
            return self._end_at(result.x, result.loss, result.n_iter)
        if len(self.open) > 1:
            self.end()  # an iteration that found no better parameters
        return False

    def _end_at(self, x: Array, loss: float, n_iter: int) -> bool:
        return self.end_leaf(lambda: {**self.network(x), "loss_": loss, "n_iter_": n_iter})
