"""Heads: turn an encoder's vectors into a task's logits."""
