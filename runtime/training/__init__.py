"""Training runs: data in batches, losses, optimizer steps, metrics, checkpoints."""
