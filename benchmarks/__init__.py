"""Benchmarks of speed and memory against other toolkits and counted limits; run by `make bench`."""
