"""What `make` runs; the pipeline itself never imports it."""
