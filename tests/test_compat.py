"""What is taken from the private side of scikit-learn does what this package relies on."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer

from sk_mlp._backend import compat


@pytest.mark.parametrize("container", [np.asarray, sparse.csr_matrix, list])
def test_namespace_of_what_scikit_learn_takes_without_dispatch_is_numpy(container):
    X = container([[1.0, 2.0]])
    assert compat.namespace(X) is compat.array_namespace(X) is np
    assert compat.to_host(X) is X


def test_numpy_has_both_floating_dtypes_the_wider_one_first():
    assert compat.supported_float_dtypes(np, np.zeros(1)) == (np.float64, np.float32)


def test_an_array_of_pytorch_needs_no_dispatch_to_be_read():
    torch = pytest.importorskip("torch")
    tensor = torch.asarray([1.0, 2.0])
    assert compat.array_namespace(tensor).__name__.endswith("torch")
    assert compat.supported_float_dtypes(compat.array_namespace(tensor), tensor)[0] == torch.float64
    host = compat.to_host(tensor)
    assert isinstance(host, np.ndarray)
    assert host.tolist() == [1.0, 2.0]


def test_a_network_on_another_device_is_named_if_dispatch_is_off():
    fitted = SimpleNamespace(coef_=object())
    check = {"attribute": "coef_", "method": "predict"}
    with pytest.raises(ValueError, match="predict needs such arrays"):
        compat.check_same_namespace(np.zeros(1), fitted, **check)
    fitted.coef_ = np.zeros(1)
    compat.check_same_namespace(np.zeros(1), fitted, **check)


def test_weights_are_validated_as_by_scikit_learn():
    X = np.zeros((3, 1))
    assert compat.check_sample_weight(None, X).tolist() == [1.0, 1.0, 1.0]
    with pytest.raises(ValueError, match="sample_weight"):
        compat.check_sample_weight([1.0, 2.0], X)


@pytest.mark.parametrize(
    ("scorer", "accepts"),
    [
        (get_scorer("neg_log_loss"), True),
        (LogisticRegression.score, True),
        (lambda estimator, X, y, **kwargs: 0.0, True),
        (lambda estimator, X, y: 0.0, False),
    ],
)
def test_scorers_that_can_weigh_the_rows(scorer, accepts):
    assert compat.accepts_sample_weight(scorer) is accepts
