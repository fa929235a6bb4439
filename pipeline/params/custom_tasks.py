"""The definition of a custom task: its labels, columns and metrics."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.params.fields import Section, Text, contradiction, twice

Metric = Literal["accuracy", "f1", "matthews", "pearson", "spearman"]
_OF_SCORES: frozenset[Metric] = frozenset({"pearson", "spearman"})


class CustomTask(Section):
    """A custom task: files `<folder>/<task>/{train,dev,test}.tsv` with a header line."""

    title: Text
    """Name in tables."""
    labels: list[Text]
    """Class names as spelt in the files, in the order of the class ids; [] for regression."""
    sentence1: Text
    """Header of the first text's column."""
    sentence2: Text | None = None
    """Header of the second text's column, if there is one."""
    label: Text
    """Header of the label's column."""
    metrics: Annotated[list[Metric], Field(min_length=1)]
    """Metrics of the task; their mean is its score."""
    low: float = 0.0
    """Lowest score of a regression task."""
    high: float = 0.0
    """Highest score of a regression task."""

    @model_validator(mode="after")
    def _settings_agree(self) -> Self:
        faults = [*self._column_faults(), *self._metric_faults()]
        faults += self._class_faults() if self.labels else self._range_faults()
        if faults:
            raise contradiction("; ".join(faults))
        return self

    def _column_faults(self) -> list[str]:
        columns = [c for c in (self.sentence1, self.sentence2, self.label) if c is not None]
        return [f"column {c} is named twice" for c in twice(columns)]

    def _metric_faults(self) -> list[str]:
        kind = "classes" if self.labels else "scores (labels: [])"
        wrong = [m for m in self.metrics if (m in _OF_SCORES) == bool(self.labels)]
        return [f"metric {m} is not for a task with {kind}" for m in wrong] + [
            f"metric {m} is named twice" for m in twice(self.metrics)
        ]

    def _class_faults(self) -> list[str]:
        faults = [f"label {label} is named twice" for label in twice(self.labels)]
        if len(self.labels) == 1:
            faults.append("labels needs two names or more, or [] for scores")
        if "f1" in self.metrics and len(self.labels) > 2:
            faults.append(f"metric f1 is for two classes, here are {len(self.labels)}")
        return faults

    def _range_faults(self) -> list[str]:
        if self.low < self.high:
            return []
        return [f"low ({self.low:g}) must be below high ({self.high:g}) in a task with scores"]
