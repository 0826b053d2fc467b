"""How planner and kernels split the work of a layer into pieces, and how much workspace a piece needs."""
