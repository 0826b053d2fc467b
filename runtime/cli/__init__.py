"""The commands that need NumPy: train, evaluate, predict, fuse and demo."""
