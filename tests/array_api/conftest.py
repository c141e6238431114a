"""An array namespace as an argument, with dispatch switched on."""

import pytest
from sklearn import config_context

from array_api.spaces import SPACES, Space


@pytest.fixture(params=SPACES)
def space(request):
    space = Space(request.param)
    with config_context(array_api_dispatch=True):
        yield space


@pytest.fixture
def torch_space():
    space = Space("torch")
    with config_context(array_api_dispatch=True):
        yield space
