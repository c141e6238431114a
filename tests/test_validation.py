"""Options: what is accepted, what is refused with which words, and options of subclasses."""

import re

import numpy as np
import pytest
from sklearn.base import clone

from sk_mlp import TwoLayerMLPClassifier, TwoLayerMLPClassifierCV
from sk_mlp._validation import CONSTRAINTS, Choice, check_parameters, options_of, unchanged_on_error


class OurNet(TwoLayerMLPClassifier):
    def __init__(self, hidden_units=30, *, random_state=None):
        super().__init__(hidden_units, alpha=0.1, random_state=random_state)


class Elsewhere(TwoLayerMLPClassifier):
    """Does not call the constructor of its parent."""

    def __init__(self, hidden_units=7):
        self.hidden_units = hidden_units


class Silent:
    def __eq__(self, other):
        raise RuntimeError

    __hash__ = None


def test_numpy_strings_are_options():
    model = TwoLayerMLPClassifier(activation=np.array(["tanh"])[0], solver=np.str_("adam"))
    check_parameters(model)
    options = options_of(model)
    assert type(options["activation"]) is type(options["solver"]) is str
    assert type(model.activation) is np.str_  # clone compares by identity


@pytest.mark.parametrize("value", [np.array(["relu", "tanh"]), Silent(), np.array("relu"), -3])
@pytest.mark.parametrize("name", ["activation", "solver", "class_weight", "alpha", "n_init"])
def test_what_cannot_be_compared_is_refused(name, value):
    with pytest.raises(
        ValueError, match=f"The '{name}' parameter of TwoLayerMLPClassifier must be"
    ):
        check_parameters(TwoLayerMLPClassifier(**{name: value}))


@pytest.mark.parametrize("name", ["Series", "array"])
def test_class_weight_of_another_kind(name):
    pandas = pytest.importorskip("pandas")
    weight = {"Series": pandas.Series({0: 1.0, 1: 2.0}), "array": np.ones(2)}[name]
    with pytest.raises(ValueError, match=r"'class_weight' .* must be an instance of 'dict'"):
        check_parameters(TwoLayerMLPClassifier(class_weight=weight))


def test_numbers_and_flags_of_numpy():
    check_parameters(
        TwoLayerMLPClassifier(
            np.int64(3), alpha=np.float32(0.5), standardize=np.True_, max_iter=np.int8(4)
        )
    )


def test_none_is_not_a_string():
    check_parameters(TwoLayerMLPClassifier(max_iter=None))
    for name, value in (("max_iter", "None"), ("alpha", None)):
        with pytest.raises(ValueError, match=f"'{name}' parameter .* Got {value!r} instead"):
            check_parameters(TwoLayerMLPClassifier(**{name: value}))


@pytest.mark.parametrize("value", [True, False, np.True_])
@pytest.mark.parametrize("name", ["hidden_units", "alpha", "n_init", "max_iter", "tol", "momentum"])
def test_true_and_false_are_no_numbers(name, value):
    with pytest.raises(ValueError, match=re.escape(f"{value!r} instead")):
        check_parameters(TwoLayerMLPClassifier(**{name: value}))


@pytest.mark.parametrize("name", ["alpha", "learning_rate_init", "tol"])
def test_infinity_is_no_number_except_for_patience(name):
    check_parameters(TwoLayerMLPClassifier(n_iter_no_change=np.inf))
    with pytest.raises(ValueError, match=f"'{name}' parameter .* Got inf instead"):
        check_parameters(TwoLayerMLPClassifier(**{name: np.inf}))


def test_an_error_lists_the_strings_in_their_order():
    assert str(Choice("auto", "lbfgs")) == "a str among {'auto', 'lbfgs'}"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("hidden_units", ["many", 0, 2.5, True, [], (3, 0), (3, True), [[3, 4]], None]),
        ("alphas", ["auto", -1.0, True, [], (1.0, -1.0), [np.nan], np.inf, None]),
    ],
)
def test_the_grids_of_the_search(name, values):
    for value in values:
        message = rf"'{name}' parameter of TwoLayerMLPClassifierCV .* Got {re.escape(repr(value))}"
        with pytest.raises(ValueError, match=message):
            check_parameters(TwoLayerMLPClassifierCV(**{name: value}))
    for value in (3, np.int64(3), [3, 4], np.array([3, 4])):
        check_parameters(TwoLayerMLPClassifierCV(**{name: value}))


def test_an_estimator_is_as_it_was_after_an_error():
    model = TwoLayerMLPClassifier()
    model.loss_ = 1.0

    def interrupted():
        with unchanged_on_error(model):
            del model.loss_
            model.n_iter_ = 3
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert model.loss_ == 1.0
    assert not hasattr(model, "n_iter_")


def test_a_subclass_with_fewer_options_has_the_others():
    expected = TwoLayerMLPClassifier().get_params()
    assert options_of(OurNet(4)) == expected | {"hidden_units": 4, "alpha": 0.1}
    assert options_of(Elsewhere()) == expected | {"hidden_units": 7}
    assert options_of(clone(OurNet(4, random_state=1)))["random_state"] == 1
    check_parameters(Elsewhere())


def test_every_option_has_a_constraint():
    assert set(CONSTRAINTS) == set(TwoLayerMLPClassifier().get_params())
