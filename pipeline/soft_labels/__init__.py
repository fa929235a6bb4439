"""Soft labels: combine, calibrate, check and store the logits of an ensemble's members."""
