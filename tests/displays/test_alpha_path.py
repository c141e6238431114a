"""AlphaPathDisplay draws the scores among which a fit chose."""

import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import make_moons
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import make_pipeline

from sk_mlp import AlphaPathDisplay, TwoLayerMLPClassifierCV


def test_path_of_a_search(iris):
    search = TwoLayerMLPClassifierCV((2, 6), alphas=6, random_state=0).fit(*iris)
    drawn = AlphaPathDisplay.from_estimator(make_pipeline("passthrough", search))
    assert drawn.ax_.get_xscale() == "log"
    for line, band, scores in zip(drawn.lines_, drawn.fill_between_, search.scores_, strict=True):
        tried = ~np.isnan(scores[0])
        assert_array_equal(line.get_xdata(), search.alphas_[tried][::-1])
        assert_allclose(line.get_ydata(), scores.mean(axis=0)[tried][::-1])
        highest = (scores.mean(axis=0) + scores.std(axis=0))[tried].max()
        assert_allclose(band.get_paths()[0].vertices[:, 1].max(), highest)
    assert_array_equal(drawn.choice_.get_xdata(), [search.alpha_])
    assert_allclose(drawn.choice_.get_ydata(), [search.best_score_])


def test_path_without_folds_and_with_an_alpha_of_zero():
    drawn = AlphaPathDisplay(
        alphas=np.array([1.0, 0.1, 0.0]),
        scores=np.array([[[-0.5, -0.4, np.nan]], [[-0.6, -0.3, -0.7]]]),
        hidden_units=[1, 3],
        alpha=0.1,
        best_hidden_units=3,
    ).plot(curve_kwargs={"ls": ":"})
    assert [len(line.get_xdata()) for line in drawn.lines_] == [2, 3]
    assert drawn.lines_[0].get_linestyle() == ":"
    assert drawn.fill_between_ == []
    assert drawn.ax_.get_xscale() == "symlog"
    assert_allclose(drawn.choice_.get_xydata(), [[0.1, -0.3]])


def test_path_of_a_network_that_chose_its_alpha(fit, circles):
    network = fit(*circles)
    with pytest.raises(ValueError, match=r'fitted with alpha=0.1. Use fit with alpha="auto"'):
        AlphaPathDisplay.from_estimator(network)
    network.alpha_, network.alphas_ = 0.1, np.array([1.0, 0.1])
    network.alpha_scores_ = np.array([[-0.4, -0.3], [-0.6, -0.2]])
    drawn = AlphaPathDisplay.from_estimator(network)
    assert_allclose(drawn.lines_[0].get_xydata(), [[0.1, -0.25], [1.0, -0.5]])
    assert drawn.lines_[0].get_label() == "3 hidden units"


@pytest.mark.parametrize(("n_rows", "units"), [(200, [100]), (10_200, [100, 300])])
def test_path_of_a_search_with_hidden_units_auto(n_rows, units):
    X, y = make_moons(n_rows, noise=0.1, random_state=0)
    search = TwoLayerMLPClassifierCV(alphas=[1.0, 0.1], max_iter=2, random_state=0)
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):
        drawn = AlphaPathDisplay.from_estimator(search.fit(X, y))
    assert [line.get_label() for line in drawn.lines_] == [f"{n} hidden units" for n in units]
    assert_allclose(drawn.choice_.get_ydata(), [search.best_score_])
