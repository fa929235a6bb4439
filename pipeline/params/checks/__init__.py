"""Checks of params.yaml that span several keys."""
