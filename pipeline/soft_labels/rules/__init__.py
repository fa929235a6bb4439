"""Ensemble rules: combine the members' logits into one soft label; one module per rule."""
