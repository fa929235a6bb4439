"""Base class of all sections, and types of values that several sections share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

NAME = r"^[a-z][a-z0-9_]{0,39}$"
COMMIT = r"^[0-9a-f]{40}$"
SHA256 = r"^[0-9a-f]{64}$"
URL = r"^https?://[^/\s]+"
REPO = r"^[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?$"
FILE_NAME = r"^[A-Za-z0-9][\w.-]*$"
DEVICE = r"^(auto|cpu|mps|cuda(:[0-9]{1,2})?)$"

SPELLINGS = {
    NAME: "lower-case letters, digits and _, a letter first, 40 at most (it names stages)",
    COMMIT: "a commit of 40 lower-case hex digits (a branch or a tag can move)",
    SHA256: "a SHA-256 of 64 lower-case hex digits",
    URL: "an address that starts with http:// or https://",
    REPO: "a repository's name such as google-bert/bert-base-uncased",
    FILE_NAME: "the name of a file, without a folder",
    DEVICE: "auto, cpu, mps, cuda or cuda:1",
}
"""Each pattern in words, for error messages and the reference."""

# Names become stage names (teach@rte-m1) and column names (logits_m1): no dash, no dot.
Name = Annotated[str, StringConstraints(pattern=NAME)]
Commit = Annotated[str, StringConstraints(pattern=COMMIT)]
Sha256 = Annotated[str, StringConstraints(pattern=SHA256)]
Url = Annotated[str, StringConstraints(pattern=URL)]
Repo = Annotated[str, StringConstraints(pattern=REPO)]
FileName = Annotated[str, StringConstraints(pattern=FILE_NAME)]
Text = Annotated[str, StringConstraints(min_length=1)]
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
"""A seed that numpy and torch both accept."""
Count = Annotated[int, Field(ge=1)]
Dropout = Annotated[float, Field(ge=0, lt=1)]
Names = Annotated[list[Name], Field(min_length=1)]


class Section(BaseModel):
    """Base of every section: no unknown keys, no silent conversions, no later changes."""

    # strict: `epochs: true` or `epochs: "3"` is a mistake, though pydantic could convert it
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, use_attribute_docstrings=True
    )


def twice(values: Sequence[str]) -> list[str]:
    """Values that occur more than once."""
    return [value for value in dict.fromkeys(values) if values.count(value) > 1]


def different(names: Any) -> Any:
    """Check that no name is twice in a list, and return it; a word is returned as it is.

    Raises:
        PydanticCustomError: a name is in the list more than once.
    """
    if isinstance(names, list) and (repeated := twice(names)):
        raise contradiction(f"{', '.join(repeated)} is named twice")
    return names


def contradiction(text: str) -> PydanticCustomError:
    """The error of a fault between several keys of one section."""
    return PydanticCustomError("contradiction", "{text}", {"text": text})
