"""Encoders as they are loaded: weights, dropout, tokenizer; errors that say what to do.

Run with: python -m pytest tests/pipeline/model/test_encoders.py
"""

from __future__ import annotations

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from pipeline.errors import EncoderError
from pipeline.model import encoders
from pipeline.params.encoders import FolderEncoder, RandomEncoder
from pipeline.runtime import artifacts


def random_encoder(**changes):
    base = {"source": "random", "seed": 0, "depth": 6, "hidden": 8, "attention_heads": 2}
    return RandomEncoder(**{**base, **changes})


def folder_encoder(path, sha256):
    return FolderEncoder(source="folder", path=str(path), sha256=sha256)


def test_dropout_is_set_and_the_same_seed_gives_the_same_weights():
    first, _ = encoders.load(random_encoder(), 0.3)
    again, _ = encoders.load(random_encoder(), 0.3)
    other, _ = encoders.load(random_encoder(seed=1), 0.3)
    assert first.config.hidden_dropout_prob == first.config.attention_probs_dropout_prob == 0.3
    torch.testing.assert_close(first.state_dict(), again.state_dict())
    assert not torch.equal(
        first.embeddings.word_embeddings.weight, other.embeddings.word_embeddings.weight
    )


def test_a_saved_folder_loads_with_its_own_tokenizer(tmp_path):
    model, tokenizer = encoders.load(random_encoder(depth=2), 0.0)
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    weights = artifacts.sha256(tmp_path / "model.safetensors")
    again, tokens = encoders.load(folder_encoder(tmp_path, weights), 0.0)
    torch.testing.assert_close(again.state_dict(), model.state_dict())
    assert tokens("a cat")["input_ids"] == tokenizer("a cat")["input_ids"]


def test_a_saved_folder_opens_whole_without_a_pin(tmp_path):
    model, tokenizer = encoders.load(random_encoder(layers="every_second"), 0.0)
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    again, tokens = encoders.open_folder(tmp_path, 0.2)
    torch.testing.assert_close(again.state_dict(), model.state_dict())
    assert again.config.num_hidden_layers == 3
    assert again.config.hidden_dropout_prob == again.config.attention_probs_dropout_prob == 0.2
    assert tokens("a cat")["input_ids"] == tokenizer("a cat")["input_ids"]


def test_a_folder_that_is_not_there_cannot_be_opened(tmp_path):
    with pytest.raises(EncoderError, match="files cannot be read"):
        encoders.open_folder(tmp_path / "gone", 0.0)


def save(folder, model):
    """Save an encoder with the character tokenizer; give its folder spec."""
    model.save_pretrained(folder)
    encoders.load(random_encoder(), 0.0)[1].save_pretrained(folder)
    return pinned(folder)


def pinned(folder):
    return folder_encoder(folder, artifacts.sha256(folder / "model.safetensors"))


def rewrite(folder, dropped):
    """Save the weights again without those whose names start with `dropped`."""
    state = load_file(folder / "model.safetensors")
    weights = {name: weight for name, weight in state.items() if not name.startswith(dropped)}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return pinned(folder)


def small(kind, **changes):
    """A small randomly initialised encoder of some family."""
    config = getattr(transformers, f"{kind}Config")(**changes)
    return getattr(transformers, f"{kind}Model")(config)


DISTILBERT = {"dim": 8, "n_layers": 2, "n_heads": 2, "hidden_dim": 16, "vocab_size": 200}
BERT = {
    "hidden_size": 8,
    "num_hidden_layers": 4,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "vocab_size": 200,
}


def test_weights_that_do_not_fit_are_refused_instead_of_drawn_at_random(tmp_path):
    """The library itself fills gaps with random weights and goes on."""
    save(tmp_path, small("Bert", **BERT))
    with pytest.raises(EncoderError, match="16 are missing"):
        encoders.load(rewrite(tmp_path, "encoder.layer.3"), 0.1)


def test_a_checkpoint_without_pooler_loads_without_one(tmp_path):
    save(tmp_path, small("Bert", **BERT))
    model, _ = encoders.load(rewrite(tmp_path, "pooler"), 0.1)
    assert model.pooler is None


def test_damaged_weights_are_an_error_of_their_own(tmp_path):
    save(tmp_path, small("Bert", **BERT))
    (tmp_path / "model.safetensors").write_bytes(b"\xff" * 64)
    with pytest.raises(EncoderError, match="cannot be read"):
        encoders.load(pinned(tmp_path), 0.1)


@pytest.mark.parametrize("layers", ["all", "every_second"])
def test_loading_draws_no_random_numbers(tmp_path, layers):
    spec = save(tmp_path, small("Bert", **BERT)).model_copy(update={"layers": layers})
    torch.manual_seed(11)
    expected = torch.rand(3)
    torch.manual_seed(11)
    encoders.load(spec, 0.1)
    assert torch.equal(torch.rand(3), expected)


def test_an_encoder_without_segments_is_not_given_any(tmp_path):
    model, tokenizer = encoders.load(save(tmp_path, small("DistilBert", **DISTILBERT)), 0.3)
    assert "token_type_ids" not in tokenizer.model_input_names
    assert model.config.dropout == model.config.attention_dropout == 0.3


def test_rows_longer_than_the_encoder_takes_are_refused():
    model, tokenizer = encoders.load(random_encoder(), 0.0)
    encoders.check_length(model, tokenizer, 512)
    with pytest.raises(EncoderError, match="at most 512 tokens"):
        encoders.check_length(model, tokenizer, 513)


def test_a_folders_path_is_not_kept(tmp_path):
    described = encoders.describe(folder_encoder(tmp_path / "mine", "0" * 64))
    assert described["path"] == "mine"
