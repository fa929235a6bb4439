"""Get task files from a source, and turn them into typed, capped rows with ids."""
