"""The embedded source: GLUE's nine tasks in small, written from a lexicon and a grammar."""
