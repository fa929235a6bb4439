"""Encoders, heads and tokens: what is trained, and how it lies on disk."""
