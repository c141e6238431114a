"""The foundation: scikit-learn's private side, array libraries, blocks of rows, threads."""
