"""What everything else stands on: scikit-learn's private side, array libraries, rows, threads."""
