"""The local folder as a source; `data.folder` names it."""

from __future__ import annotations

from pipeline.params.sources.base import SourceSettings


class Local(SourceSettings):
    """Files in `data.folder`."""
