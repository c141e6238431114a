"""Labels to what the objective needs, and weights per row."""

import math
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target


class Target(NamedTuple):
    """Encoded labels.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        Sorted labels; for multilabel targets the column numbers.
    multilabel : bool
    encoded : ndarray
        Class codes, shape (n_samples,), for three and more classes; indicators, shape
        (n_samples, n_outputs), for two classes (of the second one) and for multilabel.
    """

    classes: np.ndarray
    multilabel: bool
    encoded: np.ndarray

    @property
    def n_outputs(self) -> int:
        """Output units: one for two classes, else one per class or label."""
        return 1 if not self.multilabel and len(self.classes) == 2 else len(self.classes)

    @property
    def output(self) -> str:
        """Name of the output units in `OUTPUTS`."""
        return "logistic" if self.encoded.ndim == 2 else "softmax"

    @property
    def codes(self) -> np.ndarray:
        """Class code of each row; zero for all rows of a multilabel target."""
        if self.multilabel:
            return np.zeros(len(self.encoded), dtype=int)
        return self.encoded[:, 0].astype(int) if self.encoded.ndim == 2 else self.encoded

    @property
    def labels(self) -> np.ndarray:
        """Labels of the rows; integer indicators for multilabel targets."""
        return self.encoded.astype(int) if self.multilabel else np.asarray(self.classes[self.codes])


def has_nan(labels: np.ndarray) -> bool:
    """Return True if a label is NaN, in an array of any dtype."""
    return any(isinstance(label, float) and math.isnan(label) for label in labels.tolist())


def stream_classes(y: Any, classes: Any, known: np.ndarray | None = None) -> np.ndarray | None:
    """Sorted classes of a stream: those known, else as passed; None if y is multilabel.

    Raises
    ------
    ValueError
        If they are missing, are not the known ones, are fewer than two, or one is NaN.
    """
    if known is not None:
        if classes is not None and not np.array_equal(known, np.unique(classes)):
            raise ValueError(
                f"classes={classes!r} is not the same as on the last call to fit or "
                f"partial_fit, {known.tolist()}."
            )
        return known
    if classes is None:
        if type_of_target(y).startswith("multilabel"):
            return None
        raise ValueError("classes must be passed on the first call to partial_fit.")
    classes = np.asarray(classes)
    if classes.ndim != 1 or has_nan(classes):
        raise ValueError(f"classes must be a vector of labels without NaN, got {classes!r}.")
    classes = np.unique(classes)
    if len(classes) < 2:
        raise ValueError(
            f"classes must have all labels that can occur, two at least; got {classes.tolist()}."
        )
    return np.asarray(classes)


def encode(y: Any, classes: np.ndarray | None = None, *, multilabel: bool | None = None) -> Target:
    """Encode labels, sorted or as given in `classes`.

    `multilabel` is the kind that y has to be of, if it must be that of other data.

    Raises
    ------
    ValueError
        If y is not a classification target, has one class only, mixes types, or has labels
        that are not in `classes`.
    """
    _check_labels(y)
    indicators = np.ndim(y) == 2 and type_of_target(y).startswith("multilabel")
    if multilabel is not None and indicators != multilabel:
        kinds = ("labels of shape (n_samples,)", "indicators of shape (n_samples, n_labels)")
        raise ValueError(
            f"y must be {kinds[multilabel]}, as in the training data; got shape {np.shape(y)}."
        )
    if indicators:
        return _encode_indicators(y, classes)
    y = np.asarray(y)
    if y.ndim > 1:
        raise ValueError(f"y must be 1d or a multilabel indicator, got shape {y.shape}.")
    found, codes = np.unique(y, return_inverse=True)
    if classes is None:
        classes = found
        if len(classes) < 2:
            label = classes.tolist()[0]
            raise ValueError(f"y must have at least two classes, got the one class {label!r}.")
    else:
        of_y, of_classes = (type(labels.tolist()[0]) for labels in (found, classes))
        if (of_y is str) != (of_classes is str):
            raise ValueError(
                f"y has labels of type {of_y.__name__}, classes of type {of_classes.__name__}."
            )
        unknown = np.setdiff1d(found, classes)
        if len(unknown):
            raise ValueError(
                f"y has labels {unknown.tolist()} that are not in classes {classes.tolist()}."
            )
        codes = np.searchsorted(classes, y)
    return Target(classes, False, codes[:, None] == 1 if len(classes) == 2 else codes)


def _check_labels(y: Any) -> None:
    """Raise ValueError if y is not a classification target."""
    try:
        # floats that no integer can hold are compared with some
        with np.errstate(invalid="ignore"):
            check_classification_targets(y)
    except (TypeError, ValueError) as error:
        types = sorted({type(label).__name__ for label in np.ravel(y)})
        if len(types) > 1:
            raise ValueError(f"y must have labels of one type, got {', '.join(types)}.") from None
        if types[0] in ("bool", "int", "float"):
            raise ValueError(
                f"Unknown label type: y has dtype object; use y.astype({types[0]})."
            ) from None
        raise ValueError(f"y is no classification target. {error}") from error


def _encode_indicators(y: Any, classes: np.ndarray | None) -> Target:
    y = y.toarray() if sparse.issparse(y) else np.asarray(y)
    if not np.isin(y, (0, 1)).all():
        raise ValueError(
            "Indicators of labels must be 0 or 1, or bool; y has the values "
            f"{np.unique(y).tolist()}."
        )
    n_labels = y.shape[1]
    if classes is not None and len(classes) != n_labels:
        raise ValueError(f"y has {n_labels} labels, classes has {len(classes)}.")
    return Target(np.arange(n_labels), True, y != 0)


class ClassWeights(NamedTuple):
    """Weight of each class by the labels of training, for these and for other rows.

    Attributes
    ----------
    factors : ndarray of shape (n_classes,) or (n_labels, 2) or None
        For multilabel targets the weights of absence and presence of each label, which are
        multiplied. None stands for ones.
    """

    factors: np.ndarray | None

    def rows(self, target: Target, sample_weight: np.ndarray | None) -> np.ndarray | None:
        """Sample weight times class weight, float64; None where all are one.

        Raises
        ------
        ValueError
            If no row has a weight, or if they overflow.
        """
        weights = sample_weight
        if self.factors is not None:
            if target.multilabel:
                labels = np.arange(len(target.classes))
                factor = np.prod(self.factors[labels, target.encoded.astype(int)], axis=1)
            else:
                factor = self.factors[target.codes]
            with np.errstate(over="ignore", under="ignore"):
                weights = factor if sample_weight is None else sample_weight * factor
        if weights is None:
            return None
        with np.errstate(over="ignore"):
            total = float(np.sum(weights))
        if not 0 < total < np.inf:
            names = "sample_weight" if self.factors is None else "class_weight"
            if self.factors is not None and sample_weight is not None:
                names = "sample_weight times class_weight"
            what = "is zero for every row" if total == 0 else "overflows"
            raise ValueError(f"{names} {what}.")
        return np.asarray(weights)


ONES = ClassWeights(None)


def class_weights(
    class_weight: Any, target: Target, sample_weight: np.ndarray | None
) -> ClassWeights:
    """Weights of classes from the option of that name and the labels to train on.

    "balanced" gives every class that occurs the same total weight; one that does not occur, as
    in a piece of a stream or a fold, has weight 1. So have all classes of a label with None.

    Raises
    ------
    ValueError
        If a weight is negative or no finite number, or the dict is not one of these classes.
    """
    if class_weight is None:
        return ONES
    if target.multilabel:
        n_labels = len(target.classes)
        if not isinstance(class_weight, list):
            class_weight = [class_weight] * n_labels
        if len(class_weight) != n_labels:
            raise ValueError(
                f"class_weight has {len(class_weight)} entries for {n_labels} labels of y."
            )
        both = np.arange(2)
        columns = zip(class_weight, target.encoded.T.astype(int), strict=True)
        factors = np.stack(
            [_per_class(option, both, codes, sample_weight) for option, codes in columns]
        )
    else:
        factors = _per_class(class_weight, target.classes, target.codes, sample_weight)
    return ClassWeights(factors)


def _per_class(
    option: Any, classes: np.ndarray, codes: np.ndarray, sample_weight: np.ndarray | None
) -> np.ndarray:
    if option is None:
        return np.ones(len(classes))
    if isinstance(option, str) and option == "balanced":
        totals = np.bincount(codes, sample_weight, minlength=len(classes)).astype(np.float64)
        found = totals > 0
        mean = totals.sum() / max(1, found.sum())
        return np.asarray(np.divide(mean, totals, out=np.ones(len(classes)), where=found))
    if not isinstance(option, dict):
        raise ValueError(  # noqa: TRY004  (as for every option)
            f"class_weight must be a dict, 'balanced' or None, got {option!r}."
        )
    try:
        given = np.asarray(list(option.values()), dtype=np.float64)
    except (TypeError, ValueError):  # not numbers
        given = np.full(1, np.nan)
    if np.any(given < 0) or not np.all(np.isfinite(given)):
        raise ValueError(f"class_weight must be finite and not negative, got {option!r}.")
    return np.asarray(compute_class_weight(option, classes=classes, y=classes), dtype=np.float64)


def scaled(weights: np.ndarray) -> tuple[np.ndarray, float]:
    """Weights of about one, which any precision can hold, and the factor that was taken out.

    The objective with weights s and alpha is that with weights s / c and alpha / c. c is a power
    of two, so that the division is exact.
    """
    scale = float(2.0 ** np.clip(np.floor(np.log2(weights.max())), -1000, 1000))
    return weights / scale, scale
