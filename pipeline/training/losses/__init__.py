"""Losses: hard labels, soft labels and features."""
