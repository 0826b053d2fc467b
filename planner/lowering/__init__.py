"""Lowering of a bound plan: the computation of each node if it differs from that of its layer."""
