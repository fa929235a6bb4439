"""From a source's files to typed rows."""
