"""Read and check params.yaml: one model a section, profiles, overrides, schema."""
