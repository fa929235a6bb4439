"""Settings and machine of the recorded run that the cost model was fitted to."""

from __future__ import annotations

from pipeline.planning.devices import GB, Device

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

MACHINE = Device(
    name="recorded",
    title="core of an AMD EPYC (Zen 4)",
    memory=None,
    bandwidth=27 * GB,
    peak={"float32": 90 * GB},
    reached={"float32": 0.775},
    automatic="float32",
    overhead=1.29 * GB,
    fused=False,
)
"""One thread, torch 2.13, float32 by MKL. Peak: products of 2048 x 2048 matrices. Bandwidth:
copying 200 MB. Reached: the twelve teachers, 2,065 CPU seconds in all. Overhead: the largest of
them, 2,300 MiB, less its tensors."""


def recorded(profile: str, overrides: tuple[str, ...]) -> tuple[str, ...]:
    """Overrides that make of glue-cpu what it was, before others; of another profile, nothing."""
    return (*(RECORDED if profile == "glue-cpu" else ()), *overrides)
