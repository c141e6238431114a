"""The mathematics of the network: pure functions of arrays that know nothing of solvers."""
