"""Scripts that `make` runs; the pipeline never imports them."""
