"""The model: encoder, heads, tokenization, scoring and the saved form."""
