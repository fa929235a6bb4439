"""Save and load a trained model: `encoder/` for transformers, heads, manifest model.json."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pyarrow as pa
from pydantic import TypeAdapter

from pipeline.data import row_tables, rows
from pipeline.errors import SavedModelError
from pipeline.model import encoder_files, encoders
from pipeline.params.heads import Head
from pipeline.runtime import artifacts
from pipeline.stage_registry import remake
from pipeline.tasks import Task

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from pipeline.model.multitask import MultiTaskModel

ENCODER = "encoder"
HEADS = "heads.safetensors"
LOG = "log.csv"
MANIFEST = "model.json"  # written last: a folder without it is not whole
_WEIGHTS = f"{ENCODER}/{encoder_files.WEIGHTS}"
_LIBRARIES = ("torch", "transformers", "tokenizers", "numpy", "pyarrow")


@dataclass(frozen=True)
class LoadedModel:
    """A trained model read from its folder.

    Attributes:
        network: encoder and heads, on the CPU in float32.
        tokenizer: the one it was trained with.
        manifest: contents of model.json.
    """

    network: MultiTaskModel
    tokenizer: PreTrainedTokenizerBase
    manifest: dict[str, Any]


def save(model: MultiTaskModel, tokenizer: PreTrainedTokenizerBase, folder: Path) -> str:
    """Write weights, configuration and tokenizer.

    Returns:
        SHA-256 over both weight files, which identifies the model.
    """
    from safetensors.torch import save_file

    encoder = folder / ENCODER
    # The paths that a model was loaded from belong to this machine, not to the artifact.
    model.encoder.config._name_or_path = ""
    tokenizer.name_or_path = ""
    heads = {name: weight.detach().cpu().contiguous() for name, weight in _heads(model).items()}
    with artifacts.system_errors(folder):
        model.encoder.save_pretrained(encoder)
        tokenizer.save_pretrained(encoder)
        save_file(heads, folder / HEADS, metadata={"format": "pt"})
    return weights_sha256(folder)


def weights_sha256(folder: Path) -> str:
    """SHA-256 over the SHA-256 of the encoder's and the heads' weights."""
    joined = "".join(artifacts.sha256(folder / file) for file in (_WEIGHTS, HEADS))
    return hashlib.sha256(joined.encode()).hexdigest()


def manifest(
    name: str,
    weights: str,
    model: MultiTaskModel,
    encoder: Mapping[str, Any],
    training: Mapping[str, Any],
    precision: str,
) -> dict[str, Any]:
    """Describe a model, for model.json and for the metadata of its logits.

    Tasks and heads are complete, so that `load` needs no params.yaml.
    """
    heads = {name: head.model_dump(mode="json") for name, head in model.head_settings.items()}
    return {
        "name": name,
        "weights_sha256": weights,
        "parameters": model.parameter_count(),
        "layers": model.encoder.config.num_hidden_layers,
        "encoder": dict(encoder),
        "tasks": {name: _describe(task) for name, task in model.tasks.items()},
        "training": {**training, "heads": heads},
        "precision": precision,
        "libraries": {library: version(library) for library in _LIBRARIES},
    }


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read model.json of the model in a folder.

    Raises:
        SavedModelError: there is none, or it cannot be read.
    """
    try:
        manifest = artifacts.read_json(folder / MANIFEST)
    except FileNotFoundError:
        _refuse_absent(folder)
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        _refuse("the model's manifest is not JSON", folder / MANIFEST, error)
    if not isinstance(manifest, dict):
        _refuse("the model's manifest is not a JSON object", folder / MANIFEST, manifest)
    return manifest


def load(folder: Path, dropout: float = 0.0) -> LoadedModel:
    """Load a trained model: encoder, heads of all its tasks, tokenizer, manifest.

    The global random state is left as it was.

    Args:
        folder: folder that `save` wrote, with model.json.
        dropout: dropout inside the encoder; that of the heads is in the manifest.

    Raises:
        SavedModelError: a file is missing or damaged, or the weights are not those of the manifest.
        EncoderError: the encoder's configuration or tokenizer cannot be read.
    """
    import torch

    from pipeline.model.multitask import MultiTaskModel

    described = read_manifest(folder)
    check_weights(folder, described)
    with torch.random.fork_rng(devices=[]):
        encoder, tokenizer = encoders.open_folder(folder / ENCODER, dropout)
        tasks, heads = _tasks(folder, described)
        network = MultiTaskModel(encoder, tasks, heads)
    _fill_heads(network, folder)
    return LoadedModel(network, tokenizer, described)


def check_weights(folder: Path, described: Mapping[str, Any]) -> None:
    """Check that the weights in a folder are those that its manifest names.

    Raises:
        SavedModelError: a file is missing, or the weights are others.
    """
    for name in (_WEIGHTS, HEADS):
        if not (folder / name).is_file():
            _refuse("a file of the trained model is missing", folder / name)
    if (seen := weights_sha256(folder)) != described.get("weights_sha256"):
        _refuse("the weights are not those that the model's manifest names", folder, seen)


def _describe(task: Task) -> dict[str, Any]:
    return {**row_tables.describe(task), "pair": task.pair}


def _tasks(folder: Path, described: Mapping[str, Any]) -> tuple[dict[str, Task], dict[str, Head]]:
    """Tasks and head settings by name of task."""
    try:
        tasks = {
            name: replace(row_tables.described(task, pa.table({})), pair=task["pair"])
            for name, task in described["tasks"].items()
        }
        heads = TypeAdapter(dict[str, Head]).validate_python(described["training"]["heads"])
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        _refuse("the model's manifest lacks tasks or heads", folder / MANIFEST, repr(error))
    return tasks, heads


def _fill_heads(network: MultiTaskModel, folder: Path) -> None:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        network.heads.load_state_dict(load_file(folder / HEADS))
    except (SafetensorError, RuntimeError) as error:
        _refuse("the heads' weights do not fit the model's manifest", folder / HEADS, error)


def _refuse_absent(folder: Path) -> NoReturn:
    """Name the reason where a stage has trained no model on purpose."""
    missing = folder / rows.MISSING
    if missing.exists():
        note = artifacts.read_json(missing)["note"]
        raise SavedModelError(f"no model: {note}", where=folder, fix="name another folder")
    _refuse("no trained model", folder)


def _refuse(fault: str, where: Path, seen: object = None) -> NoReturn:
    raise SavedModelError(fault, seen=seen, where=where, fix=remake(where, force=True)) from None


def _heads(model: MultiTaskModel) -> dict[str, Any]:
    return dict(model.heads.state_dict())
