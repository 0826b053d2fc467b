"""Training runs: batches of data, losses, optimizer steps, metrics and checkpoints."""
