"""Ensemble rules: what makes one soft label of the members' logits, one module a rule."""
