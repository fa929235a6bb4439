"""Find the shape of an encoder without loading its weights and without a network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from pipeline.params import encoders as spec

CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
CHARACTERS = 141
"""Pieces of the tokenizer of random encoders."""


@dataclass(frozen=True)
class Shape:
    """Sizes of a BERT-like encoder.

    Attributes:
        layers: number of layers.
        hidden: width of a token vector.
        intermediate: width inside the feed-forward part.
        heads: attention heads.
        vocabulary: pieces of the tokenizer.
        positions: longest row.
        segments: kinds of segment.
        has_pooler: whether it has a pooler of its own.
    """

    layers: int
    hidden: int
    intermediate: int
    heads: int
    vocabulary: int
    positions: int = 512
    segments: int = 2
    has_pooler: bool = True

    @property
    def products(self) -> int:
        """Weights of one layer that multiply every token: attention and feed-forward."""
        return 4 * self.hidden**2 + 2 * self.hidden * self.intermediate

    def parameters(self, pooler: bool) -> int:
        """Number of weights, with or without the pooler."""
        width = self.hidden
        embeddings = (self.vocabulary + self.positions + self.segments) * width + 2 * width
        layer = self.products + 9 * width + self.intermediate  # five biases, two norms
        return embeddings + self.layers * layer + pooler * self.has_pooler * (width + 1) * width

    def cut(self, layers: spec.Layers) -> Shape:
        """The shape with only the named layers, as encoders.load keeps them."""
        if layers == "all":
            return self
        return replace(self, layers=self.layers // 2 if layers == "every_second" else len(layers))


def _bert(layers: int, hidden: int, vocabulary: int) -> Shape:
    return Shape(layers, hidden, 4 * hidden, hidden // 64, vocabulary)


# From the config.json of these repositories.
KNOWN: Mapping[str, Shape] = MappingProxyType(
    {
        "google-bert/bert-base-uncased": _bert(12, 768, 30522),
        "google-bert/bert-base-cased": _bert(12, 768, 28996),
        "google-bert/bert-large-uncased": _bert(24, 1024, 30522),
        "google-bert/bert-large-cased": _bert(24, 1024, 28996),
    }
)


def of(encoder: spec.Encoder) -> Shape | None:
    """Shape of an encoder; None if it cannot be known without a network.

    Raises:
        EncoderError: a package that carries the encoder is missing or another version.
    """
    whole = _whole(encoder)
    return None if whole is None else whole.cut(encoder.layers)


def folder(encoder: spec.Encoder) -> Path | None:
    """Folder on this machine with the encoder's config.json, if there is one.

    Raises:
        EncoderError: a package that carries the encoder is missing or another version.
    """
    if isinstance(encoder, spec.WheelEncoder):
        from pipeline.model import encoder_files

        return encoder_files.of_package(encoder)  # without reading its weights
    if isinstance(encoder, spec.HubEncoder):
        return _cached(encoder)
    return Path(encoder.path) if isinstance(encoder, spec.FolderEncoder) else None


def read(config: Mapping[str, Any]) -> Shape | None:
    """Shape that a config.json describes; None if it is not one of a BERT-like encoder."""
    names = {
        "layers": ("num_hidden_layers", "n_layers"),
        "hidden": ("hidden_size", "dim"),
        "intermediate": ("intermediate_size", "hidden_dim"),
        "heads": ("num_attention_heads", "n_heads"),
        "vocabulary": ("vocab_size",),
    }
    sizes = {
        size: next((config[key] for key in keys if isinstance(config.get(key), int)), None)
        for size, keys in names.items()
    }
    known = {size: number for size, number in sizes.items() if number is not None}
    if len(known) < len(sizes):
        return None
    return Shape(
        **known,
        positions=config.get("max_position_embeddings", 512),
        segments=config.get("type_vocab_size", 0),
    )


def _whole(encoder: spec.Encoder) -> Shape | None:
    if isinstance(encoder, spec.RandomEncoder):
        width = encoder.hidden
        return Shape(encoder.depth, width, 4 * width, encoder.attention_heads, CHARACTERS)
    if isinstance(encoder, spec.HubEncoder) and encoder.repo in KNOWN:
        return KNOWN[encoder.repo]
    here = folder(encoder)
    if here is None or not (here / CONFIG).is_file():
        return None
    return read(json.loads((here / CONFIG).read_text(encoding="utf-8")))


def _cached(encoder: spec.HubEncoder) -> Path | None:
    """Folder of the encoder in the Hub's cache on this machine; the Hub itself is never asked."""
    from huggingface_hub import try_to_load_from_cache

    path = try_to_load_from_cache(encoder.repo, CONFIG, revision=encoder.revision)
    return Path(path).parent if isinstance(path, str) else None
