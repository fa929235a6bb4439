"""Losses between a student's logits and soft targets, one number per row: one module per kind."""
