"""One command line per stage; each also runs without DVC."""

from pipeline.runtime import startup

startup.prepare()
