"""Faster dropout and attention for training on a CPU; imported only if `machine.engine` is fast."""
