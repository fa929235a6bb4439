"""Load an initial encoder from the Hub's cache, a folder or a package; keep the named layers."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import EncoderError
from pipeline.model import character_bert
from pipeline.model.encoder_files import WEIGHTS, first_line, locate
from pipeline.model.encoder_layers import keep_layers
from pipeline.params import encoders as spec

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

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
    keep_layers(model, encoder.layers)
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


def describe(encoder: spec.Encoder) -> dict[str, Any]:
    """The encoder's settings, as kept in the metadata of the models trained from it.

    Of a folder only its own name is kept: its path is one of this machine.
    """
    settings = encoder.model_dump(mode="json", exclude_none=True)
    if isinstance(encoder, spec.FolderEncoder):
        settings["path"] = Path(encoder.path).name
    return settings


def _pretrained(folder: Path, dropout: float) -> tuple[Any, Any]:
    from safetensors import SafetensorError

    try:
        model, missing, tokenizer = _read(folder, dropout)
    except (OSError, ValueError, SafetensorError) as error:
        raise EncoderError(
            "the encoder's files cannot be read", seen=first_line(error), where=folder
        ) from error
    _refuse_gaps(model, missing, folder)
    if not tokenizer.is_fast:
        raise EncoderError(
            "the encoder's tokenizer has no tokenizer.json",
            seen=type(tokenizer).__name__,
            where=folder,
            fix="save it once with a fast tokenizer of transformers",
        )
    return model, tokenizer


def _read(folder: Path, dropout: float) -> tuple[Any, set[str], Any]:
    """The encoder, the names of the weights that its file lacks, and the tokenizer."""
    from transformers import AutoConfig, AutoModel, AutoTokenizer, logging

    logging.disable_progress_bar()  # stages show their own
    logging.set_verbosity_error()  # weights that a file lacks are an error of ours
    here = {"local_files_only": True, "trust_remote_code": False}
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
    return model, loading["missing_keys"], AutoTokenizer.from_pretrained(folder, **here)


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
