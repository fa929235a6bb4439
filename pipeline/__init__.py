"""The library: teachers, soft labels, one distilled multi-task student."""
