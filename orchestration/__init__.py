"""Run the whole pipeline: the stages that are due, in parallel, safe to interrupt."""
