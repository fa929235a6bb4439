"""Where each artifact lies, relative to the project's root (the folder with params.yaml)."""

from __future__ import annotations

from pathlib import Path

PARAMS = Path("params.yaml")
PROFILES = Path("profiles")
DATA = Path("data")
STUDENT = DATA / "student"
BASELINE = DATA / "baseline"
EVALUATION = DATA / "evaluation"
REPORTS = Path("reports")
METRICS = REPORTS / "metrics.json"
RESULTS = REPORTS / "results.md"
README = Path("README.md")
SOURCE = "source.json"  # in a raw folder: what its files are


def raw(task: str) -> Path:
    """Folder of one task's files as the source gave them."""
    return DATA / "raw" / task


def prepared(task: str) -> Path:
    """Folder of one task's typed rows, one Parquet file a split."""
    return DATA / "prepared" / task


def teacher(task: str, member: str) -> Path:
    """Folder of one teacher: weights, log and logits."""
    return DATA / "teachers" / task / member


def soft_labels(task: str) -> Path:
    """Parquet file of one task's soft labels."""
    return DATA / "soft_labels" / f"{task}.parquet"


def teacher_logits(task: str, member: str) -> Path:
    """Parquet file of one teacher's logits, in its folder."""
    return teacher(task, member) / "logits.parquet"


def task_logits(folder: Path, task: str) -> Path:
    """Parquet file of a multi-task model's logits for one task, in the model's folder."""
    return folder / "logits" / f"{task}.parquet"
