"""Labels to what the objective needs, and weights per row."""

from typing import Any, NamedTuple

import numpy as np
from scipy import sparse
from sklearn.utils.class_weight import compute_class_weight, compute_sample_weight
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


def encode(y: Any, classes: np.ndarray | None = None) -> Target:
    """Encode labels, sorted or as given in `classes`.

    Raises
    ------
    ValueError
        If y is not a classification target, has one class only, mixes types, or has labels
        that are not in `classes`.
    """
    try:
        check_classification_targets(y)
    except (TypeError, ValueError):
        types = sorted({type(label).__name__ for label in np.ravel(y)})
        if len(types) > 1:
            raise ValueError(f"y must have labels of one type, got {', '.join(types)}.") from None
        raise
    if np.ndim(y) == 2 and type_of_target(y).startswith("multilabel"):
        y = y.toarray() if sparse.issparse(y) else np.asarray(y)
        n_labels = y.shape[1]
        if classes is not None and len(classes) != n_labels:
            raise ValueError(f"y has {n_labels} labels, classes has {len(classes)}.")
        return Target(np.arange(n_labels), True, y != 0)
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
        unknown = np.setdiff1d(found, classes)
        if len(unknown):
            raise ValueError(
                f"y has labels {unknown.tolist()} that are not in classes {classes.tolist()}."
            )
        codes = np.searchsorted(classes, y)
    return Target(classes, False, codes[:, None] == 1 if len(classes) == 2 else codes)


def class_codes(target: Target) -> np.ndarray:
    """Class code of each row of a target that is not multilabel."""
    return target.encoded[:, 0].astype(int) if target.encoded.ndim == 2 else target.encoded


def row_weights(
    class_weight: Any, target: Target, sample_weight: np.ndarray | None
) -> np.ndarray | None:
    """Sample weight times class weight; None where all are one.

    Raises
    ------
    ValueError
        If a class has no weight.
    """
    if target.multilabel:
        if class_weight is not None:
            factor = compute_sample_weight(class_weight, target.encoded.astype(int))
            sample_weight = factor if sample_weight is None else sample_weight * factor
        return sample_weight
    codes = class_codes(target)
    if sample_weight is not None:
        totals = np.bincount(codes, sample_weight, minlength=len(target.classes))
        present = np.bincount(codes, minlength=len(target.classes)) > 0
        if np.any(present & (totals == 0)):
            label = target.classes.tolist()[np.argmax(present & (totals == 0))]
            raise ValueError(
                f"sample_weight is zero for every sample of the class {label!r}; "
                "remove the class or give it weight."
            )
    if class_weight is None:
        return sample_weight
    per_class = compute_class_weight(
        class_weight,
        classes=target.classes,
        y=target.classes[codes],
        sample_weight=sample_weight,
    )
    if np.any(per_class < 0) or not np.all(np.isfinite(per_class)):
        raise ValueError(f"class_weight must be finite and not negative, got {class_weight!r}.")
    if np.any(per_class == 0):
        label = target.classes.tolist()[np.argmin(per_class)]
        raise ValueError(f"class_weight is zero for the class {label!r}.")
    factor = np.asarray(per_class[codes])
    return factor if sample_weight is None else sample_weight * factor
