"""What the engine's speed and memory are measured against."""
