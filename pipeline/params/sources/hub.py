"""Settings of the data set on the Hugging Face Hub."""

from __future__ import annotations

from pipeline.params.fields import Commit, Repo
from pipeline.params.sources.base import SourceSettings


class Hub(SourceSettings):
    """The data set on the Hugging Face Hub; HF_ENDPOINT and HF_TOKEN are honoured."""

    repo: Repo
    """Name of the data set's repository."""
    revision: Commit
    """Commit of the data set, 40 hex digits."""
