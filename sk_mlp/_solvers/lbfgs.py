"""L-BFGS (Nocedal & Wright, 2006, algorithm 7.5), by SciPy."""

from collections.abc import Callable

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from sk_mlp._solvers.monitor import Monitor, SolverResult
from sk_mlp._solvers.outcomes import check_finite

MEMORY = 6  # pairs of steps and gradient differences kept; measured: 10 need no fewer iterations
# Stop at the limits of floating point only: everything else is for the monitor to decide.
EXACT = {"ftol": 1e-15, "gtol": 1e-12}


def lbfgs(
    loss_gradient: Callable[[np.ndarray], tuple[float, np.ndarray]],
    x0: np.ndarray,
    monitor: Monitor,
) -> SolverResult:
    """Minimise a function by limited-memory BFGS, until the monitor says stop.

    The reason is "stationary" if no further decrease is possible in floating point. `x0` and the
    gradients are float64 vectors of shape (n_parameters,).
    """
    gradient = x0

    def evaluate(x: np.ndarray) -> float:
        nonlocal gradient
        monitor.begin_iteration()  # with the first evaluation of its line search
        loss, gradient = loss_gradient(x)
        check_finite(loss)
        if monitor.best_x is None:
            monitor.begin(x, loss)
        return loss

    # SciPy asks for the gradient after the loss at the same point; with jac=True it would copy and
    # compare every point to be sure
    def last_gradient(x: np.ndarray) -> np.ndarray:
        return gradient

    def callback(intermediate_result: OptimizeResult) -> None:
        if monitor.update(intermediate_result.x, float(intermediate_result.fun)):
            raise StopIteration

    while not monitor.reason:
        before = len(monitor.loss_curve)
        remaining = monitor.max_iter - before
        options = {"maxiter": remaining, "maxfun": 30 * remaining + 30, "maxcor": MEMORY, **EXACT}
        outcome = minimize(
            evaluate, x0, jac=last_gradient, method="L-BFGS-B", callback=callback, options=options
        )
        # status 2: the line search failed. An empty memory may help if there was any progress.
        if outcome.status != 2 or len(monitor.loss_curve) == before:
            break
        x0 = outcome.x
    if not monitor.reason:
        monitor.reason = "stationary" if outcome.status in (0, 2) else "max_iter"
    return monitor.result()
