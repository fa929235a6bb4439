"""What came out: scores, how sure they are, and where they come from."""
