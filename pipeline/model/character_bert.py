"""A randomly initialized BERT that reads characters: for tests and smoke runs, without a file."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from pipeline.params.encoders import RandomEncoder

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

MAX_LENGTH = 512
_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def encoder(
    settings: RandomEncoder, dropout: float
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Build the encoder of these settings; the same seed gives the same weights."""
    import torch
    from transformers import BertConfig, BertModel

    tokens = tokenizer()
    config = BertConfig(
        vocab_size=len(tokens),
        hidden_size=settings.hidden,
        num_hidden_layers=settings.depth,
        num_attention_heads=settings.attention_heads,
        intermediate_size=4 * settings.hidden,
        max_position_embeddings=MAX_LENGTH,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        return BertModel(config), tokens


def tokenizer() -> PreTrainedTokenizerBase:
    """A WordPiece tokenizer whose pieces are the lower-case printable ASCII characters."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    characters = sorted(set(string.printable.lower()) - set(string.whitespace))
    pieces = [*_SPECIAL, *characters, *(f"##{c}" for c in characters)]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    core = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    core.normalizer = normalizers.BertNormalizer(lowercase=True)
    core.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    core.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, vocabulary[name]) for name in ("[CLS]", "[SEP]")],
    )
    names = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    return PreTrainedTokenizerFast(
        tokenizer_object=core,
        model_max_length=MAX_LENGTH,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        **dict(zip(names, _SPECIAL, strict=True)),
    )
