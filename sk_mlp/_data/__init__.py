"""Validated data: targets, weights, statistics of the features, held-out rows."""
