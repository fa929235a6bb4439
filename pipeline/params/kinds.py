"""Sections with kinds: one model per kind, named by the key `kind`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypeVar, Union, get_args

from pydantic import Field

from pipeline.params.fields import Section

T = TypeVar("T", bound=Section)


def by_kind(models: Iterable[type[T]]) -> dict[str, type[T]]:
    """Models by the one word that their key `kind` takes."""
    return {get_args(model.model_fields["kind"].annotation)[0]: model for model in models}


def union(models: Mapping[str, type[Section]]) -> Any:
    """The type of a value that is one of these kinds, for pydantic."""
    if len(models) == 1:
        return next(iter(models.values()))
    return Annotated[Union[tuple(models.values())], Field(discriminator="kind")]  # noqa: UP007
