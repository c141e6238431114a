"""
12. Text
========

Which library is a docstring from? A network on the sparse features of texts, and the words with the
largest weights.
"""

# %%
# The corpus needs no download: it is the docstrings of NumPy, SciPy and scikit-learn as they are
# installed here. The names of the libraries are left out of the text, as are examples and
# parameter lists, which would give the answer away.

import importlib
import inspect
import time
import warnings

import matplotlib.pyplot as plt
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from sk_mlp import HiddenUnitsDisplay, ProjectionDisplay, TwoLayerMLPClassifier

MODULES = {
    "numpy": ("", "linalg", "fft", "random", "ma", "polynomial", "lib.stride_tricks", "strings"),
    "scipy": (
        "linalg",
        "optimize",
        "signal",
        "stats",
        "special",
        "interpolate",
        "ndimage",
        "sparse",
    ),
    "sklearn": ("linear_model", "cluster", "metrics", "preprocessing", "ensemble", "decomposition"),
}

STOP_WORDS = ["the", "of", "a", "np", "scikit", "learn", *MODULES]


def docstrings(library):
    """Opening words of the docstrings of the public functions and classes of a library."""
    texts = set()
    for name in MODULES[library]:
        module = importlib.import_module(f"{library}.{name}".rstrip("."))
        for member_name in getattr(module, "__all__", dir(module)):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # deprecated names
                text = inspect.getdoc(getattr(module, member_name, None)) or ""
            text = text.split("Examples\n---")[0].split("Parameters\n---")[0]
            opening, _, rest = text.partition("\n\n")
            text = rest if "(" in opening else text  # a signature
            if len(text.split()) >= 8:
                texts.add(text)
    return sorted(texts)


texts, labels = [], []
for library in MODULES:
    found = docstrings(library)
    texts += found
    labels += [library] * len(found)
    print(f"{library:<8} {len(found)} docstrings")
texts_train, texts_test, y_train, y_test = train_test_split(
    texts, labels, stratify=labels, random_state=0
)

# %%
# TfidfVectorizer turns each text into a sparse row: one column for each word, almost all of them
# zero. The network works on such rows directly.

for classifier in (
    LogisticRegression(C=10),
    TwoLayerMLPClassifier(random_state=0),
):
    words = TfidfVectorizer(sublinear_tf=True, min_df=3, stop_words=STOP_WORDS)
    pipeline = make_pipeline(words, classifier)
    start = time.perf_counter()
    pipeline.fit(texts_train, y_train)
    seconds = time.perf_counter() - start
    loss = log_loss(y_test, pipeline.predict_proba(texts_test))
    print(
        f"{type(classifier).__name__:<22} accuracy {pipeline.score(texts_test, y_test):.3f}  "
        f"log-loss {loss:.3f}  {seconds:.2f} s"
    )

# %%
# On descriptions of single functions the words alone decide, and the linear model does as well. What
# the network adds is a small space in which texts can be drawn: three hidden units are nearly as accurate. First, the docstrings as the output
# layer sees them:

words = pipeline[0]
vectors = words.transform(texts_train)
small = TwoLayerMLPClassifier(3, activation="tanh", solver="lbfgs", random_state=0)
small.fit(vectors, y_train)
print("three hidden units: accuracy", round(small.score(words.transform(texts_test), y_test), 3))
ProjectionDisplay.from_estimator(small, vectors, y_train)
plt.show()

# %%
# The thirty words with the largest weights: filled squares raise a hidden unit, hollow ones lower it.
# The squares below show which library the unit then makes more or less probable.

HiddenUnitsDisplay.from_estimator(small, vectors, feature_names=words.get_feature_names_out())
plt.show()

# %%
# A sentence of our own.

for sentence in (
    "Compute the eigenvalues of a banded matrix.",
    "Fit the estimator to training samples and predict class labels.",
    "Return a view of the array with the axes reversed, elementwise.",
):
    probability = pipeline.predict_proba([sentence])[0]
    answer = "  ".join(f"{c} {p:.2f}" for c, p in zip(pipeline.classes_, probability, strict=True))
    print(f"{answer}   {sentence}")
