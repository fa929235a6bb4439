"""One command line a stage; each also runs without DVC."""

from pipeline.runtime import startup

startup.prepare()
