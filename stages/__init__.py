"""One command line a stage; each also runs without DVC."""
