"""The training loop: batches, losses, optimizers, and when to stop."""
