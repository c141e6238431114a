"""All contact with `sklearn.callback`, which is experimental and absent below scikit-learn 1.9.

A fit is a tree of tasks. The root is the call to `fit`. With one random start its children
are the epochs (of adam and sgd) or iterations (of lbfgs); with several, its children are the
restarts, and behind them the run that finishes the best one, and the epochs or iterations are
the children of those. A call to `partial_fit` is a tree of one task.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from sk_mlp._solvers import SolverResult

__all__ = ["CallbackSupportMixin", "CallbackTasks", "with_callbacks"]

Array = Any  # an array of any namespace of the array API standard

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:
    Method = TypeVar("Method")

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stand-in below scikit-learn 1.9: no `set_callbacks`."""

    def with_callbacks(method: Method) -> Method:
        """Stand-in below scikit-learn 1.9: the method itself."""
        return method


def _is_propagated(callback: Any) -> bool:
    # what tells the callbacks that `propagate_callback_context` passes on from the others
    return hasattr(callback, "max_propagation_depth")


class CallbackTasks:
    """The tasks of one fit, reported to the callbacks of the estimator.

    Without callbacks nothing happens. With them it is a `Listener` of `sk_mlp._training.train`.
    It must be used inside a method decorated by `with_callbacks`.

    Parameters
    ----------
    estimator : estimator
        Its callbacks are called.
    X, y, sample_weight
        Training data as the user gave them; callbacks score on them.
    """

    def __init__(self, estimator: Any, X: Any, y: Any, sample_weight: Any) -> None:
        metadata = None if sample_weight is None else {"sample_weight": sample_weight}
        self.of_fit = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self.callbacks = getattr(estimator, "_skl_callbacks", [])
        self.open: list[Any] = []  # contexts from the root to the innermost open task
        self.network: Callable[[Array], dict[str, Any]] = lambda params: {}
        self.iteration_name = "iteration"
        self.restarts = False

    def describe(self, network: Callable[[Array], dict[str, Any]], iteration_name: str) -> None:
        """Say how to read parameters, and what an iteration is called.

        Parameters
        ----------
        network : callable (params) -> dict
            The fitted attributes that predict with a solver's vector of parameters. Only
            called if a callback asks for a fitted estimator.
        iteration_name : str
        """
        self.network, self.iteration_name = network, iteration_name

    def begin(self, name: str, max_subtasks: int | None = 0) -> None:
        """Open a task inside the innermost open one; the first is the root."""
        if not self.callbacks:
            return
        if self.open:
            context = self.open[-1].subcontext(task_name=name, max_subtasks=max_subtasks)
        else:
            context = self.of_fit["estimator"]._init_callback_context(
                task_name=name, max_subtasks=max_subtasks
            )
        self.open.append(context)
        context.call_on_fit_task_begin(**self.of_fit)

    def end(self, attributes: Any = None) -> bool:
        """Close the innermost open task; returns whether a callback asks to stop.

        Parameters
        ----------
        attributes : dict or callable () -> dict, optional
            The fitted attributes of an estimator that had stopped here.
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

    def begin_run(self, run: int, n_runs: int, max_iter: int) -> None:
        """Open the root with the first run, and a task for the run if there are several."""
        self.restarts = n_runs > 1
        if run == 0:
            self.begin("fit", n_runs if self.restarts else max_iter)
        if self.restarts:
            self.begin("best restart" if run == n_runs - 1 else "restart", max_iter)

    def begin_iteration(self) -> None:
        """Open the task of an iteration."""
        self.begin(self.iteration_name)

    def end_iteration(
        self, iteration: int, x: Array, loss: float, validation_loss: float | None
    ) -> bool:
        """Close the task of an iteration."""
        return self.end(lambda: {**self.network(x), "loss_": loss, "n_iter_": iteration})

    def end_run(self, result: "SolverResult") -> bool:
        """Close the task of a run, if there are several."""
        if len(self.open) > 1 + self.restarts:
            self.end()  # an iteration that found no better parameters
        if not self.restarts:
            return False
        loss, n_iter = result.loss, result.n_iter
        return self.end(lambda: {**self.network(result.x), "loss_": loss, "n_iter_": n_iter})
