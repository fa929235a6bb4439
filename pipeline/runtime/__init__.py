"""Run a stage safely: atomic files, locks, hashes, signals, progress and hardware."""
