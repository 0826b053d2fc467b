"""What is computed at each node of a bound plan, where that differs from what its layer says."""
