"""
10. The hidden layer as an embedding
====================================

``transform`` makes the network a supervised dimensionality reduction: a few columns that keep what
matters for the classes. This example compares it with PCA, which ignores the classes, and with LDA
and NCA, which use them.
"""

# %%
# Each method reduces the 64 pixels of a digit to a few columns. The accuracy of a
# k-nearest-neighbours classifier on these columns says how well they separate the digits. It is
# measured on held-out rows, because LDA, NCA and the network were fitted to the labels of the
# training rows, where their columns separate the digits better than on new rows. All pixels
# have the same unit, so no method standardises them.

import time

import matplotlib.pyplot as plt
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier, NeighborhoodComponentsAnalysis
from sklearn.pipeline import make_pipeline

from sk_mlp import TwoLayerMLPClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(
    X / 16, y, train_size=600, stratify=y, random_state=0
)


def embeddings(n_columns):
    return {
        "PCA": PCA(n_columns, random_state=0),
        "LDA": LinearDiscriminantAnalysis(n_components=n_columns),
        "NCA": NeighborhoodComponentsAnalysis(n_columns, max_iter=30, random_state=0),
        "network": TwoLayerMLPClassifier(n_columns, standardize=False, random_state=0),
    }


accuracies, planes = {}, {}
for n_columns in (2, 3, 5, 9):
    for name, embedding in embeddings(n_columns).items():
        start = time.perf_counter()
        knn = make_pipeline(embedding, KNeighborsClassifier(5))
        accuracy = knn.fit(X_train, y_train).score(X_test, y_test)
        accuracies.setdefault(name, []).append(accuracy)
        seconds = time.perf_counter() - start
        print(f"{n_columns} columns by {name:<8} k-NN accuracy {accuracy:.3f}  {seconds:5.2f} s")
        if n_columns == 2:
            planes[name] = embedding.transform(X_test)

# %%
# Two columns can be drawn. Every point is drawn as its digit.

figure, axes = plt.subplots(2, 2, figsize=(10, 10), layout="constrained")
colors = plt.get_cmap("tab10").colors
for ax, (name, Z) in zip(axes.flat, planes.items(), strict=True):
    for digit in range(10):
        look = {"marker": f"${digit}$", "color": colors[digit], "s": 30, "linewidths": 0.3}
        ax.scatter(*Z[y_test == digit].T, **look)
    ax.set(
        title=f"{name}: k-NN accuracy {accuracies[name][0]:.2f}",
        xlabel="column 0",
        ylabel="column 1",
    )
plt.show()

# %%
# With more columns the methods become similar. The columns of the network help where distances or
# pictures are wanted. For predictions alone, compare with the network itself: its output layer
# was fitted together with the columns.

figure, ax = plt.subplots(layout="constrained")
for (name, values), marker in zip(accuracies.items(), "os^D", strict=True):
    ax.plot((2, 3, 5, 9), values, marker=marker, label=name)
ax.set(xlabel="columns", ylabel="accuracy of k-NN", xticks=(2, 3, 5, 9))
ax.legend()
plt.show()

# %%
# Like any transformer, the network can name its columns and return a DataFrame.

network = embeddings(3)["network"].set_output(transform="pandas").fit(X_train, y_train)
print(network.transform(X_test[:3]).round(2))
