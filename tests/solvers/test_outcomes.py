"""The reasons to stop."""

from sk_mlp._solvers import OUTCOMES


def test_converged_is_a_function_of_the_reason():
    assert [reason for reason, outcome in OUTCOMES.items() if outcome.converged] == [
        "tol",
        "early_stopping",
        "stationary",
        "schedule",
    ]
