"""The two-layer perceptron on a Dask cluster, for data that outgrow one machine."""

from typing import Any, ClassVar, Literal

from sklearn.utils import check_random_state

from sk_mlp._callbacks import CallbackTasks
from sk_mlp._reporting import warn_if_useless, warn_unless_converged
from sk_mlp._training.importance import feature_importances
from sk_mlp._types import Activation
from sk_mlp._validation import CONSTRAINTS, Choice, check_parameters
from sk_mlp.dask.cluster import Cluster, current_client
from sk_mlp.dask.predictor import DaskPredictor, fitted
from sk_mlp.dask.rows import load_rows

__all__ = ["DaskTwoLayerMLPClassifier"]


class DaskTwoLayerMLPClassifier(DaskPredictor):
    """Two-layer perceptron classifier that is trained on a Dask cluster.

    The rows stay on the workers. For every evaluation of the objective the client sends the
    parameters to each worker and gets back the sums of the loss and of its gradient over each
    partition there; L-BFGS runs on the client. The result is that of `TwoLayerMLPClassifier` with
    ``solver="lbfgs"`` on the same data on one machine. Read more in the :ref:`User Guide <dask>`.

    The sums are added in an order that depends on the partitions alone: the same data in the
    same partitions give the same bits, on however many workers.

    A worker that is lost during the fit costs the time to load its partitions again. Do not
    ``persist`` the data before the fit, unless they are needed for more: it loads them itself,
    and would then hold them twice.

    Parameters
    ----------
    hidden_units : int, default=100
        This and all options below but `solver` are those of `TwoLayerMLPClassifier`.
    activation : str, default="relu"
        Activation of the hidden layer.
    solver : {"auto", "lbfgs"}, default="auto"
        Both are L-BFGS. Steps on minibatches would need the network once per step; call
        ``TwoLayerMLPClassifier.partial_fit`` with one partition after another instead.
    alpha : "auto" or float, default="auto"
        Strength of the L2 penalty. "auto" chooses it on the client, by some 9000 rows at most that
        are taken from all partitions, and stores the choice in `alpha_`; a warm start keeps it.
    standardize : bool, default=True
        Train on features of mean 0 and scale 1.
    n_init : "auto" or int, default="auto"
        Number of random starts.
    class_weight : dict, "balanced" or None, default=None
        Weight of each class. Must be None if y is multilabel.
    max_iter : int or None, default=None
        Maximum number of iterations; None is 1000.
    tol : float, default=1e-4
        Least decrease of the loss that counts. There is no early stopping.
    n_iter_no_change : int, default=10
        Iterations without such a decrease after which the fit ends.
    warm_start : bool, default=False
        Start `fit` from the weights of the last fit.
    random_state : int, RandomState instance or None, default=None
        Random starts.
    verbose : int, default=0
        1 prints selected iterations, 2 all.

    Attributes
    ----------
    classes_, coefs_, intercepts_, out_activation_, n_features_in_, feature_names_in_
        As of `TwoLayerMLPClassifier`.
    n_iter_, loss_, loss_curve_, best_iter_, converged_, stop_reason_, n_init_losses_
        As of `TwoLayerMLPClassifier`.
    alpha_, alphas_, alpha_scores_, feature_importances_
        As of `TwoLayerMLPClassifier`.

    See Also
    --------
    TwoLayerMLPClassifier : The same for data in the memory, or on a disk, of one machine.

    Examples
    --------
    >>> import dask.array as da
    >>> from distributed import Client
    >>> from sk_mlp.dask import DaskTwoLayerMLPClassifier
    >>> X = da.random.default_rng(0).normal(size=(1000, 4), chunks=(250, 4))
    >>> y = (X[:, 0] * X[:, 1] > 0).astype(int)
    >>> with Client(processes=False, dashboard_address=":0") as client:
    ...     network = DaskTwoLayerMLPClassifier(hidden_units=8, random_state=0).fit(X, y)
    ...     accuracy = network.score(X, y)
    >>> accuracy > 0.9
    True
    >>> network.to_local()
    TwoLayerMLPClassifier(hidden_units=8, random_state=0, solver='lbfgs')
    """

    __module__ = "sk_mlp.dask"

    _parameter_constraints: ClassVar = {**CONSTRAINTS, "solver": [Choice("auto", "lbfgs")]}

    def __init__(
        self,
        hidden_units: int = 100,
        *,
        activation: Activation = "relu",
        solver: Literal["auto", "lbfgs"] = "auto",
        alpha: float | Literal["auto"] = "auto",
        standardize: bool = True,
        n_init: int | Literal["auto"] = "auto",
        class_weight: Any = None,
        max_iter: int | None = None,
        tol: float = 1e-4,
        n_iter_no_change: int = 10,
        warm_start: bool = False,
        random_state: Any = None,
        verbose: int | bool = 0,
    ) -> None:
        self.hidden_units = hidden_units
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.standardize = standardize
        self.n_init = n_init
        self.class_weight = class_weight
        self.max_iter = max_iter
        self.tol = tol
        self.n_iter_no_change = n_iter_no_change
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "DaskTwoLayerMLPClassifier":
        """Fit the network to data on the cluster of the current Dask client.

        Parameters
        ----------
        X : dask array or dataframe of shape (n_samples, n_features)
            Its blocks may be dense or CSR matrices, of unequal size or empty.
        y : dask array, series or dataframe of shape (n_samples,) or (n_samples, n_labels)
            Labels, or indicators of several labels.
        sample_weight : dask array or series of shape (n_samples,), optional
            Not negative.

        Returns
        -------
        self : DaskTwoLayerMLPClassifier
            The fitted estimator.

        Raises
        ------
        ValueError
            If there is no client, or if the parameters or the data cannot be used.
        MemoryError
            If workers run out of memory.
        RuntimeError
            If the scheduler is lost, or workers keep dying.
        """
        check_parameters(self)
        network, rng = self._local(), check_random_state(self.random_state)
        with Cluster(current_client()) as cluster:
            training, few = load_rows(cluster, network, X, y, sample_weight)
            fit = network._train(training, rng, CallbackTasks(network, X, y, sample_weight))
        network.feature_importances_ = feature_importances(
            network._network()[0], few, training.moments, network._flat_parameters()
        )
        self.__dict__.update(fitted(network))
        warn_if_useless(self, fit)
        warn_unless_converged(self, fit)
        return self
