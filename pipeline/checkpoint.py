"""A trained model on disk: `encoder/` opens with transformers, `heads.safetensors` beside it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import artifacts

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from pipeline.model import MultiTaskModel

ENCODER = "encoder"
HEADS = "heads.safetensors"
LOG = "log.csv"
CARD = "model.json"  # written last: a folder without it is not whole
_LIBRARIES = ("torch", "transformers", "tokenizers", "numpy", "pyarrow")


def save(model: MultiTaskModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> str:
    """Write weights, configuration and tokenizer.

    Returns:
        SHA-256 over the bytes of both weight files, the model's name for life.
    """
    from safetensors.torch import save_file

    encoder = folder / ENCODER
    # The paths that a model was loaded from belong to this machine, not to the artifact.
    model.encoder.config._name_or_path = ""
    tokenizer.name_or_path = ""
    heads = {name: weight.detach().cpu().contiguous() for name, weight in _heads(model).items()}
    with _system_errors(folder):
        model.encoder.save_pretrained(encoder)
        tokenizer.save_pretrained(encoder)
        save_file(heads, folder / HEADS, metadata={"format": "pt"})
    return weights_sha256(folder)


@contextlib.contextmanager
def _system_errors(folder: Path) -> Iterator[None]:
    """The libraries' Rust parts tell of a full disk in words: make it an OSError again."""
    try:
        yield
    except Exception as error:
        if number := re.search(r"os error (\d+)", str(error)):
            code = int(number[1])
            raise OSError(code, os.strerror(code), str(folder)) from error
        raise


def weights_sha256(folder: Path) -> str:
    """SHA-256 over the SHA-256 of the encoder's and the heads' weights."""
    files = (folder / ENCODER / "model.safetensors", folder / HEADS)
    joined = "".join(artifacts.sha256(file) for file in files)
    return hashlib.sha256(joined.encode()).hexdigest()


def card(
    name: str,
    weights: str,
    model: MultiTaskModel,
    encoder: Mapping[str, Any],
    training: Mapping[str, Any],
    precision: str,
) -> dict[str, Any]:
    """What is known of a model, as kept beside its weights and in every file of its logits."""
    return {
        "name": name,
        "weights_sha256": weights,
        "parameters": model.parameter_count(),
        "layers": model.encoder.config.num_hidden_layers,
        "encoder": dict(encoder),
        "training": dict(training),
        "precision": precision,
        "libraries": {library: version(library) for library in _LIBRARIES},
    }


def _heads(model: MultiTaskModel) -> dict[str, Any]:
    return dict(model.heads.state_dict())
