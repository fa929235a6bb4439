"""Generate the sample source: GLUE's nine tasks in small, from a lexicon and a grammar."""
