"""Where a task's files come from: sample, a local folder, the published files, or the Hub."""
