"""Paths of splits in the Hub's data set."""

from __future__ import annotations

from pipeline.data.formats.layouts import AX, hub_name


def hub_path(task: str, split: str) -> str:
    """Path of a split's file in the Hub's data set, where the diagnostic set is a task."""
    if split == AX:
        return hub_path(AX, "test")
    return f"{task}/{hub_name(split)}"
