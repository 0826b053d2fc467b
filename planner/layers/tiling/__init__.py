"""How planner and kernels cut the work of a layer into pieces, and how much workspace a piece needs."""
