"""Read and check params.yaml: one model per section, profiles, overrides, schema."""
