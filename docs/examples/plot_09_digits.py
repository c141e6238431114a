"""
9. Digits: choose the number of hidden units
============================================

A grid search with cross-validation over the hidden units, and the weights of the result as images.
"""

# %%
# Images of 8 x 8 pixels. The search chooses the number of hidden units by the log-loss, which
# judges the probabilities and not only the most probable class.

import matplotlib.pyplot as plt
import pandas as pd
from sklearn.datasets import load_digits
from sklearn.metrics import ConfusionMatrixDisplay, log_loss
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from sk_mlp import HiddenUnitsDisplay, TwoLayerMLPClassifier

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
pipeline = make_pipeline(MinMaxScaler(), TwoLayerMLPClassifier(random_state=0))
search = GridSearchCV(
    pipeline,
    {"twolayermlpclassifier__hidden_units": [5, 10, 20, 40]},
    scoring="neg_log_loss",
    cv=3,
).fit(X_train, y_train)

# %%
# The pipeline has a scaler to show the names of its options in the grid; the network does not need
# one.

results = pd.DataFrame(search.cv_results_)
table = pd.DataFrame(
    {
        "hidden units": results["param_twolayermlpclassifier__hidden_units"],
        "log-loss": -results["mean_test_score"].round(3),
        "std over folds": results["std_test_score"].round(3),
        "seconds per fit": results["mean_fit_time"].round(2),
    }
)
print(table.to_string(index=False))
loss = log_loss(y_test, search.predict_proba(X_test))
accuracy = search.best_estimator_.score(X_test, y_test)
print(f"\nchosen: {search.best_params_}\ntest accuracy {accuracy:.3f}, log-loss {loss:.3f}")

# %%
# Each image shows the weights of one hidden unit, bright where ink raises its input and dark where
# ink lowers it. The title names the digit that the unit makes most probable. Units are in the order of
# their contribution. Pass the fitted search or pipeline to a display as it is.

HiddenUnitsDisplay.from_estimator(search, X_train, image_shape=(8, 8))
plt.show()

# %%
# The confusion matrix shows which digits are mistaken for which.

ConfusionMatrixDisplay.from_estimator(search, X_test, y_test, cmap="cividis", colorbar=False)
plt.show()
