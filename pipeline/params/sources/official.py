"""Settings of the official downloads."""

from __future__ import annotations

from pipeline.params.fields import Url
from pipeline.params.sources.base import SourceSettings


class Official(SourceSettings):
    """Hosts of the published files; a mirror with the same layout can be named instead."""

    glue_url: Url
    """Folder that holds CoLA.zip, RTE.zip and the others."""
    senteval_url: Url
    """Folder that holds msr_paraphrase_train.txt and msr_paraphrase_test.txt."""
