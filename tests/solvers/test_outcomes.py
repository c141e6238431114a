"""The reasons to stop."""

import pytest

from sk_mlp._solvers import OUTCOMES, NotFiniteError, check_finite


def test_converged_is_a_function_of_the_reason():
    assert [reason for reason, outcome in OUTCOMES.items() if outcome.converged] == [
        "tol",
        "early_stopping",
        "stationary",
        "schedule",
    ]


def test_the_likely_causes_of_a_loss_that_is_not_finite():
    check_finite(1e308)
    causes = "became inf.*lower learning_rate_init.*lower alpha.*rescale X"
    with pytest.raises(NotFiniteError, match=causes):
        check_finite(float("inf"))
