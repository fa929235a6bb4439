"""params.yaml: its models and its reading."""
