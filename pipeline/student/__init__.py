"""The student: trained by distillation or on hard labels, then tuned on single tasks."""
