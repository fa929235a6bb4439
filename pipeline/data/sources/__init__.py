"""Get a task's files from one source: the sample, a local folder, the published files, the Hub."""
