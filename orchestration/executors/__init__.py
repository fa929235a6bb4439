"""Executors: start the stages of a run."""
