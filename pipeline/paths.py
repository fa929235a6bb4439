"""Where each artifact lies, relative to the project's root (the folder with params.yaml)."""

from __future__ import annotations

import os
from pathlib import Path

PARAMS = Path("params.yaml")
PROFILES = Path("profiles")
DATA = Path("data")
TEXTS = DATA / "texts"
SELECTED = DATA / "selected"
SELECTION = DATA / "selection.json"
FEATURE_TEACHERS = DATA / "feature_teachers"
STUDENT = DATA / "student"
BASELINE = DATA / "baseline"
TUNED = DATA / "tuned"
EVALUATION = DATA / "evaluation"
REPORTS = Path("reports")
METRICS = REPORTS / "metrics.json"
LOGS = Path("scratch/logs")
RESULTS = REPORTS / "results.md"
README = Path("README.md")
SOURCE = "source.json"  # in a raw folder: what its files are
SCRATCH = "MTDNNKD_SCRATCH"  # environment variable: folder for files that no run leaves behind
_LOGITS = "logits.parquet"


def raw(task: str) -> Path:
    """Folder of one task's files as the source gave them."""
    return DATA / "raw" / task


def prepared(task: str) -> Path:
    """Folder of one task's typed rows, one Parquet file a split."""
    return DATA / "prepared" / task


def live_log(name: str) -> Path:
    """CSV file of the steps of a training that is under way; in the project, where DVC draws it."""
    return LOGS / f"{name}.csv"


def checkpoints(name: str, key: str) -> Path:
    """Folder of the checkpoints of one training run; the key says what decides its result."""
    return scratch() / "training" / f"{name}-{key[:16]}"


def transfer(task: str) -> Path:
    """Folder of one task's further rows, that only teachers label."""
    return DATA / "transfer" / task


def transfer_rows(task: str) -> Path:
    """Parquet file of one task's further rows."""
    return transfer(task) / "transfer.parquet"


def refined(candidate: str) -> Path:
    """Folder of one multi-task candidate."""
    return DATA / "refined" / candidate


def selected(rank: int) -> Path:
    """Folder of the encoder of the candidate at a rank, from 1."""
    return SELECTED / str(rank)


def initial_encoder(member: str) -> Path:
    """Folder of the encoder that one member is initialized from."""
    return DATA / "initial_encoders" / member


def teacher(task: str, member: str, fold: str) -> Path:
    """Folder of one teacher: weights, tokenizer, log and manifest."""
    return DATA / "teachers" / task / member / fold


def prepared_logits(task: str, member: str, fold: str) -> Path:
    """Parquet file of one teacher's logits of all prepared rows, in a folder of its own."""
    return DATA / "logits" / task / member / fold / "prepared" / _LOGITS


def transfer_logits(task: str, member: str, fold: str) -> Path:
    """Parquet file of one teacher's logits of the transfer rows, in a folder of its own."""
    return DATA / "logits" / task / member / fold / "transfer" / _LOGITS


def feature_teacher(task: str) -> Path:
    """Folder of the teacher of one task whose features the student is trained to match."""
    return FEATURE_TEACHERS / task


def soft_labels(task: str) -> Path:
    """Parquet file of one task's soft labels."""
    return DATA / "soft_labels" / f"{task}.parquet"


def tuned(task: str) -> Path:
    """Folder of the student fine-tuned on one task."""
    return TUNED / task


def tuned_logits(task: str) -> Path:
    """Parquet file of its logits for the held-out rows, in its folder."""
    return tuned(task) / _LOGITS


def task_logits(folder: Path, task: str) -> Path:
    """Parquet file of a multi-task model's logits for one task, in the model's folder."""
    return folder / "logits" / f"{task}.parquet"


def scratch() -> Path:
    """Folder of files that live no longer than a run: what `MTDNNKD_SCRATCH` names, or scratch."""
    return Path(os.environ.get(SCRATCH) or "scratch")
