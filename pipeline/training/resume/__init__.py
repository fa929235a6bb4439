"""Resume a killed training from its last checkpoint."""
