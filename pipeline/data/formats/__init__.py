"""Read task files in each published format: columns, labels, one reader per format."""
