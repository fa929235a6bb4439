"""Estimate what a run would cost: rows, steps, operations, memory and hours."""
