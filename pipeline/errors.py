"""Errors a user can fix: what is wrong, the value seen, where, and the command that fixes it."""

from __future__ import annotations


class PipelineError(Exception):
    """A fault in the input or the setting, not in the code; a stage exits with 2 on it.

    Args:
        what: one sentence on what is wrong.
        seen: the offending value, shown with `repr` unless it is a string.
        where: file, line, row id or YAML path.
        fix: the command or edit that fixes it.
    """

    def __init__(
        self, what: str, *, seen: object = None, where: object = None, fix: str | None = None
    ) -> None:
        super().__init__(what)
        self.what, self.seen, self.where, self.fix = what, seen, where, fix

    def __str__(self) -> str:
        parts = {"seen": self.seen, "where": self.where, "fix": self.fix}
        lines = [f"  {name}: {value}" for name, value in parts.items() if value is not None]
        return "\n".join([self.what, *lines])


class ParamsError(PipelineError):
    """params.yaml, a profile or a `--set` holds something that cannot be used."""


class DataError(PipelineError):
    """A task's file does not have its layout."""


class DownloadError(PipelineError):
    """A file could not be fetched, or is not the file that was pinned."""


class EncoderError(PipelineError):
    """An initial encoder is missing or not the one that was named."""


class SavedModelError(PipelineError):
    """A trained model's folder is not whole, or not the model that its manifest describes."""


class SoftLabelError(PipelineError):
    """A soft-label or logits file does not match the rows it is read for."""


class BusyError(PipelineError):
    """Another process makes the same artifact."""


class TrainingError(PipelineError):
    """Training cannot go on: a loss that is not finite, no rows to train on."""
