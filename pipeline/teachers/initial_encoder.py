"""What a member starts from: a selected candidate's encoder, or an initial one named in params."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pydantic import BaseModel, ValidationError, model_validator

from pipeline import paths
from pipeline.errors import EncoderError
from pipeline.model import encoders, saved_model
from pipeline.params.encoders import Encoder
from pipeline.params.fields import Count, Name, Section, Sha256, contradiction
from pipeline.params.sections import Params
from pipeline.runtime import artifacts

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

T = TypeVar("T", bound=BaseModel)
NOTE = "start.json"
REFINED = "refined"  # a candidate's `source` in a manifest, beside hub, folder, wheel and random


class Selected(Section):
    """A selected candidate, as model.json beside its encoder tells it."""

    candidate: Name
    weights_sha256: Sha256
    """The trained candidate's name for life, heads included."""
    sha256: Sha256
    """SHA-256 of its encoder's model.safetensors."""
    encoder: dict[str, Any]
    """What the candidate itself started from."""


class Refined(Selected):
    """A selected candidate that a member starts from."""

    rank: Count


class _Start(Section):
    encoder: Encoder | None = None
    refined: Refined | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.encoder is None) == (self.refined is None):
            raise contradiction("a start has `encoder` or `refined`")
        return self


def write(member: str, params: Params) -> None:
    """Put down in data/initial_encoders/<member>/ what a member starts from.

    An initial encoder is only named (as in params.yaml, a folder's path as it is given there); a
    candidate's encoder is copied, so that members which start elsewhere do not hang on it.

    Raises:
        EncoderError: nothing is selected at the member's rank, or it is not whole.
    """
    own = params.teachers.members[member]
    with artifacts.new_folder(paths.initial_encoder(member)) as staging:
        if own.refined is None:
            found = _Start(encoder=own.encoder or params.teachers.encoder)
        else:
            found = _Start(refined=_copy(own.refined, staging))
        artifacts.write_json(staging / NOTE, found.model_dump(mode="json", exclude_none=True))


def load(folder: Path, dropout: float) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load the encoder and tokenizer that a member starts from.

    Args:
        folder: data/initial_encoders/<member>.
        dropout: dropout of the shared layers, attention probabilities included.

    Raises:
        EncoderError: there is no start, or its encoder is gone or not the one that was named.
    """
    found = _read(folder)
    if isinstance(found, Refined):
        _check(folder, found)
        return encoders.open_folder(folder / saved_model.ENCODER, dropout)
    return encoders.load(found, dropout)


def describe(folder: Path) -> dict[str, Any]:
    """The start as kept in the manifest of the model that it became.

    Returns:
        What `encoders.describe` gives; of a candidate source `refined`, rank, candidate,
        weights_sha256, sha256, and as `encoder` what it started from itself.

    Raises:
        EncoderError: there is no start that can be read.
    """
    found = _read(folder)
    if isinstance(found, Refined):
        return {"source": REFINED, **found.model_dump(mode="json")}
    return encoders.describe(found)


def _read(folder: Path) -> Encoder | Refined:
    path, fix = folder / NOTE, f"dvc repro initialize@{folder.name}"
    if not path.is_file():
        raise EncoderError("the member has no start", where=path, fix=fix)
    found = _validated(_Start, path, fix)
    start = found.refined or found.encoder
    assert start is not None, "the validator has checked it"
    return start


def _copy(rank: int, staging: Path) -> Refined:
    """Copy a selected candidate's encoder."""
    selected = paths.selected(rank)
    path = selected / saved_model.MANIFEST
    if not path.is_file():
        raise EncoderError(
            f"no candidate is selected at rank {rank}", where=selected, fix="dvc repro select"
        )
    found = _validated(Selected, path, "dvc repro select")
    artifacts.copy_folder(selected / saved_model.ENCODER, staging / saved_model.ENCODER)
    refined = Refined(rank=rank, **found.model_dump())
    _check(staging, refined)
    return refined


def _validated(kind: type[T], path: Path, fix: str) -> T:
    try:
        return kind.model_validate(artifacts.read_json(path))
    except ValueError as error:  # pydantic's and the JSON reader's
        fault = error.errors()[0]["msg"] if isinstance(error, ValidationError) else error
        raise EncoderError(
            "the file does not say which encoder it is", seen=fault, where=path, fix=fix
        ) from error


def _check(folder: Path, refined: Refined) -> None:
    weights = folder / saved_model.ENCODER / encoders.WEIGHTS
    seen = artifacts.sha256(weights) if weights.is_file() else "no such file"
    if seen != refined.sha256:
        raise EncoderError(
            f"the weights are not those of candidate {refined.candidate} "
            f"(SHA-256 {refined.sha256})",
            seen=seen,
            where=weights,
            fix="dvc repro --single-item --force select initialize",
        )
