"""Check params.yaml across keys and sections, and write the lines of the report."""
