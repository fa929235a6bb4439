"""Shapes of encoders: numbers of weights, cuts, and what is not known.

Run with: python -m pytest tests/pipeline/planning/test_encoder_shapes.py
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.model import character_bert, encoders
from pipeline.params.encoders import FolderEncoder, HubEncoder, RandomEncoder
from pipeline.planning import encoder_shapes
from pipeline.planning.encoder_shapes import KNOWN, Shape

COMMIT, SHA = "0" * 40, "0" * 64
MINILM = Shape(layers=6, hidden=384, intermediate=1536, heads=12, vocabulary=30522)


@pytest.mark.parametrize(
    ("repo", "weights"),
    [  # as their model manifests count them, pooler included
        ("google-bert/bert-base-uncased", 109_482_240),
        ("google-bert/bert-base-cased", 108_310_272),
        ("google-bert/bert-large-uncased", 335_141_888),
        ("google-bert/bert-large-cased", 333_579_264),
    ],
)
def test_known_encoders_have_their_number_of_weights(repo: str, weights: int) -> None:
    assert KNOWN[repo].parameters(pooler=True) == weights


def test_weights_by_hand() -> None:
    shape = Shape(layers=1, hidden=2, intermediate=3, heads=1, vocabulary=5, positions=7)
    embeddings = (5 + 7 + 2) * 2 + 4
    attention, inner, norms = 4 * (2 * 2 + 2), (2 * 3 + 3) + (3 * 2 + 2), 2 * 4
    assert shape.parameters(pooler=False) == embeddings + attention + inner + norms == 81
    assert shape.parameters(pooler=True) == 81 + 2 * 2 + 2
    assert shape.products == 4 * 4 + 2 * 6


@pytest.mark.parametrize("pooler", [True, False])
def test_weights_are_those_of_the_model(pooler: bool) -> None:
    spec = RandomEncoder(source="random", seed=0, depth=3, hidden=8, attention_heads=2)
    model, _ = character_bert.encoder(spec, 0.0)
    if not pooler:
        model.pooler = None
    shape = encoder_shapes.of(spec)
    assert shape is not None
    assert shape.parameters(pooler) == sum(weight.numel() for weight in model.parameters())


@pytest.mark.parametrize(("layers", "number"), [("all", 6), ("every_second", 3), ([1, 4], 2)])
def test_cut(layers: object, number: int) -> None:
    assert MINILM.cut(layers).layers == number  # type: ignore[arg-type]


def test_cut_keeps_what_the_loader_keeps(defaults) -> None:
    """Odd numbers of layers too."""
    for depth in (1, 2, 3, 5):
        spec = RandomEncoder(source="random", seed=0, depth=depth, hidden=8, attention_heads=2)
        half = spec.model_copy(update={"layers": "every_second"})
        if depth > 1:
            layers = encoders.load(half, 0.0)[0].config.num_hidden_layers
            assert encoder_shapes.of(half) == encoder_shapes.of(spec).cut([1] * layers)  # type: ignore[union-attr]


def test_the_default_encoder_is_read_from_its_package(defaults) -> None:
    assert encoder_shapes.of(defaults.teachers.encoder) == MINILM
    assert encoder_shapes.of(defaults.student.encoder) == MINILM.cut("every_second")
    assert MINILM.parameters(pooler=False) == 22_565_376
    folder = encoder_shapes.folder(defaults.student.encoder)
    assert folder is not None
    assert (folder / encoder_shapes.TOKENIZER).is_file()


def test_a_folder_is_read_without_its_weights(tmp_path: Path) -> None:
    config = {
        "dim": 8,
        "n_layers": 2,
        "hidden_dim": 32,
        "n_heads": 2,
        "vocab_size": 50,
        "max_position_embeddings": 64,
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    spec = FolderEncoder(source="folder", path=str(tmp_path), sha256=SHA)
    assert encoder_shapes.of(spec) == Shape(2, 8, 32, 2, 50, positions=64, segments=0)


@pytest.mark.parametrize("content", [None, "{}", '{"hidden_size": "wide"}'])
def test_what_is_not_known(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "config.json").write_text(content)
    assert encoder_shapes.of(FolderEncoder(source="folder", path=str(tmp_path), sha256=SHA)) is None


def test_a_repository_that_is_not_in_the_cache_is_unknown(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert (
        encoder_shapes.of(HubEncoder(source="hub", repo="nobody/nothing", revision=COMMIT)) is None
    )


def test_a_cached_repository_is_read(monkeypatch, tmp_path: Path) -> None:
    config = tmp_path / "config.json"
    sizes = {"hidden_size": 4, "num_hidden_layers": 1, "intermediate_size": 8}
    config.write_text(json.dumps(sizes | {"num_attention_heads": 2, "vocab_size": 9}))
    monkeypatch.setattr(
        "huggingface_hub.try_to_load_from_cache", lambda *_, **__: str(config), raising=False
    )
    spec = HubEncoder(source="hub", repo="nobody/small", revision=COMMIT)
    assert encoder_shapes.of(spec) == Shape(1, 4, 8, 2, 9, segments=0)
