"""File formats of task data: columns, labels and readers."""
