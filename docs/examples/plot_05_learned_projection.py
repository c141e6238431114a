"""
5. The learned projection
=========================

The output layer is a linear classifier. The hidden layer phi(x) = g(x W1 + b1) moves the samples to
where a line or a plane separates them.
"""

# %%
# Three hidden units make three new features. In the space of these three, a plane separates the
# circles.

import matplotlib.pyplot as plt
from sklearn.datasets import make_circles
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from sk_mlp import ProjectionDisplay, TwoLayerMLPClassifier

X, y = make_circles(1000, noise=0.1, factor=0.4, random_state=0)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
network = TwoLayerMLPClassifier(hidden_units=3, random_state=0).fit(X_train, y_train)
ProjectionDisplay.from_estimator(network, X_test, y_test)
plt.show()

# %%
# `transform` returns these features, one column for each hidden unit. The linear classifier
# that failed on x does well on phi(x).

for name, train, test in (
    ("x", X_train, X_test),
    ("phi(x)", network.transform(X_train), network.transform(X_test)),
):
    linear = LogisticRegression().fit(train, y_train)
    print(f"LogisticRegression on {name:<6}: accuracy {linear.score(test, y_test):.2f}")

# %%
# The picture of a hundred hidden units is a projection. For two classes its first axis is the weight
# vector of the output layer, so the boundary is exact: a line. The second axis is the direction of
# largest remaining variance.

wide = TwoLayerMLPClassifier(hidden_units=100, random_state=0).fit(X_train, y_train)
ProjectionDisplay.from_estimator(wide, X_test, y_test)
plt.show()
