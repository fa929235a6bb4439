"""Soft labels: the logits of an ensemble's members, combined, checked and stored."""
