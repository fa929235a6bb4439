"""Evaluate systems: scores, comparisons and reports."""
