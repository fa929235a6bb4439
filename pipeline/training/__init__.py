"""Train a model: batches, losses, optimizers, early stopping and resuming."""
