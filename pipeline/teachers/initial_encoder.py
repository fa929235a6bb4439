"""Write and load the encoder that a member is initialized from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pydantic import BaseModel, ValidationError, model_validator

from pipeline import paths
from pipeline.errors import EncoderError
from pipeline.model import encoder_files, encoders, saved_model
from pipeline.params.encoders import Encoder
from pipeline.params.fields import Count, Name, Section, Sha256, contradiction
from pipeline.params.sections import Params
from pipeline.runtime import artifacts
from pipeline.stage_registry import remake

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

T = TypeVar("T", bound=BaseModel)
START = "start.json"
REFINED = "refined"  # `source` of a candidate in a manifest; others: hub, folder, wheel, random


class Selected(Section):
    """A selected candidate, as in the model.json next to its encoder."""

    candidate: Name
    weights_sha256: Sha256
    """SHA-256 of the trained candidate, heads included."""
    sha256: Sha256
    """SHA-256 of its encoder's model.safetensors."""
    encoder: dict[str, Any]
    """The encoder that the candidate itself was initialized from."""


class Refined(Selected):
    """A selected candidate that a member is initialized from."""

    rank: Count


class _Start(Section):
    encoder: Encoder | None = None
    refined: Refined | None = None

    @model_validator(mode="after")
    def _one_start(self) -> Self:
        if (self.encoder is None) == (self.refined is None):
            raise contradiction("a start has `encoder` or `refined`")
        return self


def write(member: str, params: Params) -> None:
    """Write the encoder a member is initialized from to data/initial_encoders/<member>/.

    An encoder of params.yaml is only named, a folder by its path as written there. A candidate's
    encoder is copied, so that only the members initialized from it depend on it.

    Raises:
        EncoderError: nothing is selected at the member's rank, or it is not whole.
    """
    own = params.teachers.members[member]
    with artifacts.new_folder(paths.initial_encoder(member)) as staging:
        if own.refined is None:
            start = _Start(encoder=own.encoder or params.teachers.encoder)
        else:
            start = _Start(refined=_copy(own.refined, staging))
        artifacts.write_json(staging / START, start.model_dump(mode="json", exclude_none=True))


def load(folder: Path, dropout: float) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load the encoder and tokenizer that a member is initialized from.

    Args:
        folder: data/initial_encoders/<member>.
        dropout: dropout of the shared layers, attention probabilities included.

    Raises:
        EncoderError: the folder is missing, or its encoder is missing or not the one named.
    """
    start = _read(folder)
    if isinstance(start, Refined):
        _check(folder, start)
        return encoders.open_folder(folder / saved_model.ENCODER, dropout)
    return encoders.load(start, dropout)


def describe(folder: Path) -> dict[str, Any]:
    """Describe the initial encoder for the manifest of the model trained from it.

    Returns:
        The dict of `encoders.describe`; for a candidate source `refined`, rank, candidate,
        weights_sha256, sha256 and, as `encoder`, the encoder it was initialized from itself.

    Raises:
        EncoderError: the folder cannot be read.
    """
    start = _read(folder)
    if isinstance(start, Refined):
        return {"source": REFINED, **start.model_dump(mode="json")}
    return encoders.describe(start)


def _read(folder: Path) -> Encoder | Refined:
    path, fix = folder / START, remake(folder)
    if not path.is_file():
        raise EncoderError("the member has no start", where=path, fix=fix)
    start = _validated(_Start, path, fix)
    encoder = start.refined or start.encoder
    assert encoder is not None, "the validator has checked it"
    return encoder


def _copy(rank: int, staging: Path) -> Refined:
    """Copy a selected candidate's encoder."""
    selected = paths.selected(rank)
    path, fix = selected / saved_model.MANIFEST, remake(selected)
    if not path.is_file():
        raise EncoderError(f"no candidate is selected at rank {rank}", where=selected, fix=fix)
    refined = Refined(rank=rank, **_validated(Selected, path, fix).model_dump())
    _check(selected, refined)
    artifacts.copy_folder(selected / saved_model.ENCODER, staging / saved_model.ENCODER)
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
    weights = folder / saved_model.ENCODER / encoder_files.WEIGHTS
    seen = artifacts.sha256(weights) if weights.is_file() else "no such file"
    if seen != refined.sha256:
        raise EncoderError(
            f"the weights are not those of candidate {refined.candidate} "
            f"(SHA-256 {refined.sha256})",
            seen=seen,
            where=weights,
            fix=remake(weights, force=True),
        )
