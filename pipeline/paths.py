"""Paths of all artifacts, relative to the project's root (the folder with params.yaml)."""

from __future__ import annotations

import os
from pathlib import Path

from pipeline.stage_registry import output

PARAMS = Path("params.yaml")
PROFILES = Path("profiles")
DATA = Path("data")
TEXTS = DATA / "texts"
CODE = output("code")
SELECTED = output("select")
SELECTION = output("select", 1)
FEATURE_TEACHERS = output("feature_teachers")
STUDENT = output("distil")
BASELINE = DATA / "baseline"
TUNED = DATA / "tuned"
EVALUATION = output("evaluate")
METRICS = EVALUATION / "metrics.json"
RESULTS = EVALUATION / "results.md"
REPORTS = Path("reports")
SUMMARY = REPORTS / "summary.json"
SCORES = REPORTS / "scores.csv"
LOGS = Path("scratch/logs")
README = Path("README.md")
SOURCE = "source.json"  # in a raw folder: describes its files
SCRATCH = "MTDNNKD_SCRATCH"  # environment variable: folder for files that no run leaves behind
_LOGITS = "logits.parquet"


def code(stage: str) -> Path:
    """File with the digest of one stage's code."""
    return CODE / stage


def raw(task: str) -> Path:
    """Folder of one task's files as in the source."""
    return output("download", task=task)


def prepared(task: str) -> Path:
    """Folder of one task's typed rows, one Parquet file per split."""
    return output("prepare", task=task)


def live_log(name: str) -> Path:
    """CSV file of the steps of a running training; in the project, where DVC plots it."""
    return LOGS / f"{name}.csv"


def checkpoints(name: str, key: str) -> Path:
    """Folder of the checkpoints of one training run; the key hashes all that decides its result."""
    return scratch() / "training" / f"{name}-{key[:16]}"


def transfer(task: str) -> Path:
    """Folder of one task's transfer rows, which only teachers label."""
    return output("prepare", 1, task=task)


def transfer_rows(task: str) -> Path:
    """Parquet file of one task's transfer rows."""
    return transfer(task) / "transfer.parquet"


def refined(candidate: str) -> Path:
    """Folder of one multi-task candidate."""
    return output("refine", candidate=candidate)


def selected(rank: int) -> Path:
    """Folder of the encoder of the candidate at a rank, from 1."""
    return SELECTED / str(rank)


def initial_encoder(member: str) -> Path:
    """Folder of the encoder that one member is initialized from."""
    return output("initialize", member=member)


def teacher(task: str, member: str, fold: str) -> Path:
    """Folder of one teacher: weights, tokenizer, log and manifest."""
    return output("teach", task=task, member=member, fold=fold)


def prepared_logits(task: str, member: str, fold: str) -> Path:
    """Parquet file of one teacher's logits of all prepared rows, in a folder of its own."""
    return output("teach", 1, task=task, member=member, fold=fold) / _LOGITS


def transfer_logits(task: str, member: str, fold: str) -> Path:
    """Parquet file of one teacher's logits of the transfer rows, in a folder of its own."""
    return output("label", task=task, member=member, fold=fold) / _LOGITS


def feature_teacher(task: str) -> Path:
    """Folder of the teacher of one task whose features the student is trained to match."""
    return FEATURE_TEACHERS / task


def soft_labels(task: str) -> Path:
    """Parquet file of one task's soft labels."""
    return output("ensemble", task=task)


def budget(name: str) -> Path:
    """JSON file with the number of epochs of one baseline."""
    return output("budget", budget=name)


def baseline(budget: str) -> Path:
    """Folder of the baseline of one budget, laid out as the student's."""
    return output("baseline", budget=budget)


def tuned(task: str) -> Path:
    """Folder of the student fine-tuned on one task."""
    return output("tune", task=task)


def tuned_logits(task: str) -> Path:
    """Parquet file of its logits for the held-out rows, in its folder."""
    return tuned(task) / _LOGITS


def task_logits(folder: Path, task: str) -> Path:
    """Parquet file of a multi-task model's logits for one task, in the model's folder."""
    return folder / "logits" / f"{task}.parquet"


def scratch() -> Path:
    """Folder of temporary files of runs: the one that `MTDNNKD_SCRATCH` names, or scratch."""
    return Path(os.environ.get(SCRATCH) or "scratch")
