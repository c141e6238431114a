"""What a step does on a device: nothing leaves it, and its blocks of rows are sized for it."""

import collections

import numpy as np
import pytest

from array_api.spaces import classifier, few_iterations, needs_array_api, problem
from sk_mlp._backend.rows import DEVICE_BYTES, gradient_rows

pytestmark = [needs_array_api, few_iterations]


def operations_of_a_fit(space, batch_size):
    """Return how often each operation ran, and how often an array left the device or came to it."""
    from torch.utils._python_dispatch import TorchDispatchMode

    class Counter(TorchDispatchMode):
        def __init__(self):
            super().__init__()
            self.counts = collections.Counter()

        def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
            self.counts[str(operation)] += 1
            return operation(*args, **(kwargs or {}))

    X, y = problem(dtype=np.float32)
    counter, transfers = Counter(), collections.Counter()
    with pytest.MonkeyPatch.context() as patch, counter:
        for name in ("cpu", "numpy", "tolist", "__array__", "to"):
            original = getattr(space.xp.Tensor, name)

            def counted(self, *args, original=original, name=name, **kwargs):
                transfers[name] += 1
                return original(self, *args, **kwargs)

            patch.setattr(space.xp.Tensor, name, counted)
        original_asarray = space.xp.asarray

        def asarray(*args, **kwargs):
            transfers["asarray"] += 1
            return original_asarray(*args, **kwargs)

        patch.setattr(space.xp, "asarray", asarray)
        model = classifier(solver="adam", batch_size=batch_size, max_iter=2, activation="tanh")
        model.fit(space(X), space(y), X_val=space(X), y_val=space(y))
    return counter.counts, transfers


def test_a_step_stays_on_the_device(torch_space):
    few, few_transfers = operations_of_a_fit(torch_space, 60)
    many, many_transfers = operations_of_a_fit(torch_space, 10)
    # two epochs of 2 and of 12 steps, with one root each
    assert (few["aten.sqrt.default"], many["aten.sqrt.default"]) == (2 * 2, 2 * 12)
    # reading a number or an array back waits for everything before it
    for waits in ("aten._local_scalar_dense.default", "aten.nonzero.default"):
        assert many[waits] == few[waits]
    assert many_transfers == few_transfers
    assert few_transfers["cpu"] > 0  # the counter counts


def test_blocks_on_a_device_are_sized_for_it(torch_space):
    X = torch_space(np.zeros((1, 10), np.float32))
    for widest in (10, 1000, 5000):
        assert gradient_rows(X, widest) * widest * 8 <= DEVICE_BYTES
        assert gradient_rows(X, widest) * widest * 8 > 0.99 * DEVICE_BYTES
    wide = torch_space(np.zeros((1, 2000), np.float32))
    assert gradient_rows(wide, 100) * 2000 * 8 <= DEVICE_BYTES
    assert gradient_rows(X, 100) > 100 * gradient_rows(np.zeros((1, 10)), 100)
