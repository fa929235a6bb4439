"""What the engine takes of time and memory, measured."""
