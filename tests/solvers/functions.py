"""Functions with known minima, and a monitor that follows a solver on them."""

import math

import numpy as np
from scipy.optimize import rosen, rosen_der

from sk_mlp._network.minibatches import Step
from sk_mlp._solvers import Course, Monitor, minibatch


def rosenbrock(x):
    return rosen(x), rosen_der(x)


class Quadratic:
    """(x - c)^T A (x - c) / 2, as an objective and as one batch per epoch."""

    def __init__(self, size=4, condition=20.0):
        rng = np.random.RandomState(0)
        Q, _ = np.linalg.qr(rng.normal(size=(size, size)))
        self.A = Q @ np.diag(np.geomspace(1.0, condition, size)) @ Q.T
        self.center = rng.normal(size=size)
        self.last_loss = None

    def loss_gradient(self, x):
        difference = self.A @ (x - self.center)
        return 0.5 * (x - self.center) @ difference, difference

    def gradient(self, x):
        self.last_loss, gradient = self.loss_gradient(x)
        return gradient

    n_steps = 1

    def start_loss(self, params):
        return None

    def epoch(self, params, take):
        take(Step(None, params, self.gradient(params)))
        return self.loss_gradient(params)[0]

    def minimize(self, rule, *, max_iter, schedule="constant", rate=0.02, patience=5, **options):
        monitor = Monitor(max_iter=max_iter, tol=0.0, n_iter_no_change=patience)
        course = Course(schedule, rate, **options)
        return minibatch(self, np.zeros(len(self.center)), rule, course, monitor)


def monitor_of(max_iter=1000, tol=0.0, n_iter_no_change=math.inf, **options):
    return Monitor(max_iter=max_iter, tol=tol, n_iter_no_change=n_iter_no_change, **options)


class Recorder:
    """An observer that asks to stop after some iterations."""

    def __init__(self, stop_at=None):
        self.stop_at, self.begun, self.ended = stop_at, 0, []

    def begin_iteration(self):
        self.begun += 1

    def end_iteration(self, iteration, x, loss, validation_loss):
        self.ended.append((iteration, x.copy(), loss, validation_loss))
        return iteration == self.stop_at
