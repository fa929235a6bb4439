"""The student: train by distillation or on hard labels alone, then fine-tune on single tasks."""
