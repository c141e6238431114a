"""Benchmarks of sk_mlp against its own history, for airspeed velocity."""
