"""Losses between a student's logits and soft targets, one number a row: one module a kind."""
