"""One command line a stage; each also runs without DVC."""

from pipeline import startup

startup.prepare()
