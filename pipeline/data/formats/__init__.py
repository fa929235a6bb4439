"""Read task files in each published format: columns, labels, one reader a format."""
