"""The settings of the recorded run that the cost model was fitted to."""

from __future__ import annotations

_CAPS = {
    **dict.fromkeys(("cola", "sst2", "mrpc", "stsb", "rte"), "{train: 1000, dev: null, test: 200}"),
    **dict.fromkeys(("qqp", "mnli", "qnli"), "{train: 1000, dev: 1000, test: 200}"),
}
RECORDED = (
    *(f"tasks.{task}.rows={rows}" for task, rows in _CAPS.items()),
    "tasks.wnli.rows.train=null",
    "transfer={}",
    "refinement.candidates={}",
    "teachers.members={m1: {seed: 1}, m2: {seed: 2}, m3: {seed: 3}}",
    "teachers.epochs=3",
    "teachers.learning_rate=1.0e-4",
    "student.epochs=5",
    "student.learning_rate=1.0e-4",
    "distillation.features=null",
)
"""Over the profile glue-cpu, which has changed since."""


def recorded(profile: str, overrides: tuple[str, ...]) -> tuple[str, ...]:
    """Overrides that make of glue-cpu what it was, before others; of another profile, nothing."""
    return (*(RECORDED if profile == "glue-cpu" else ()), *overrides)
