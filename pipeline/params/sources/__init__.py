"""Settings of the data sources: one module per source.

`data.sources` has a section by the name of each source that has settings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, create_model

from pipeline.params.fields import Section
from pipeline.params.sources.base import SourceSettings
from pipeline.runtime import discovery

KINDS = {
    model.__module__.rpartition(".")[2]: model
    for model in discovery.subclasses(__name__, SourceSettings)
}
"""Settings of each source by its name, which is that of its module."""

if TYPE_CHECKING:
    SourceName = str

    class Sources(Section):
        """Settings by source."""

        def __getattr__(self, name: str) -> Any: ...
else:
    SourceName = Literal[tuple(KINDS)]
    Sources = create_model(
        "Sources",
        __base__=Section,
        __doc__="Settings by source; those of a source that is not taken may be left out.",
        **{
            name: (model | None, Field(None, description=model.__doc__))
            for name, model in KINDS.items()
            if model.model_fields
        },
    )


def generated(source: str) -> bool:
    """Whether a source's rows are generated, not GLUE's."""
    return source in KINDS and KINDS[source].generated
