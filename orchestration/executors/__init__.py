"""Executors: where the stages of a run are started."""
