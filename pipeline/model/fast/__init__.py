"""What makes training fast on a CPU; imported only where `machine.engine` is fast."""
