"""What members start from: an encoder named in params, or a selected candidate's.

Run with: python -m pytest tests/pipeline/teachers/test_initial_encoder.py
"""

from __future__ import annotations

import shutil

import pytest
import torch

from pipeline import paths
from pipeline.errors import EncoderError
from pipeline.model import encoders
from pipeline.params.encoders import FolderEncoder, HubEncoder, RandomEncoder
from pipeline.params.sections import Member
from pipeline.runtime import artifacts
from pipeline.teachers import initial_encoder

CANDIDATE = {"candidate": "c2", "weights_sha256": "a" * 64, "encoder": {"source": "random"}}


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def params(tiny_params):
    """`params(m1=Member(...))` gives the tiny profile with these members."""

    def make(**members):
        teachers = tiny_params.teachers.model_copy(update={"members": members})
        return tiny_params.model_copy(update={"teachers": teachers})

    return make


@pytest.fixture
def selected(tiny):
    """An encoder at rank 2, as `select` leaves it; gives its weights by name."""
    folder = paths.selected(2)
    model, tokenizer = encoders.load(tiny.model_copy(update={"seed": 9}), 0.0)
    model.save_pretrained(folder / "encoder")
    tokenizer.save_pretrained(folder / "encoder")
    weights = artifacts.sha256(folder / "encoder" / "model.safetensors")
    artifacts.write_json(folder / "model.json", {**CANDIDATE, "sha256": weights})
    return model.state_dict()


def files(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_without_more_a_member_starts_from_the_encoder_of_all(params, tiny):
    initial_encoder.write("m1", params(m1=Member(seed=1)))
    folder = paths.initial_encoder("m1")
    assert list(files(folder)) == ["start.json"]
    model, _ = initial_encoder.load(folder, 0.3)
    torch.testing.assert_close(model.state_dict(), encoders.load(tiny, 0.0)[0].state_dict())
    assert model.config.hidden_dropout_prob == 0.3
    assert initial_encoder.describe(folder) == encoders.describe(tiny)


def test_a_members_own_encoder_goes_first_and_keeps_its_layers(params, tiny):
    own = tiny.model_copy(update={"seed": 5, "layers": [2]})
    initial_encoder.write("m1", params(m1=Member(seed=1, encoder=own)))
    model, _ = initial_encoder.load(paths.initial_encoder("m1"), 0.0)
    torch.testing.assert_close(model.state_dict(), encoders.load(own, 0.0)[0].state_dict())
    assert initial_encoder.describe(paths.initial_encoder("m1"))["layers"] == [2]


def test_seed_and_settings_of_a_member_are_no_part_of_its_start(params):
    members = {"m1": Member(seed=1), "m2": Member(seed=2, epochs=9, dropout=0.2)}
    for name in members:
        initial_encoder.write(name, params(**members))
    assert files(paths.initial_encoder("m1")) == files(paths.initial_encoder("m2"))


def test_an_encoder_on_the_hub_is_named_without_being_fetched(params):
    hub = HubEncoder(source="hub", repo="google-bert/bert-base-uncased", revision="0" * 40)
    initial_encoder.write("m1", params(m1=Member(seed=1, encoder=hub)))
    assert initial_encoder.describe(paths.initial_encoder("m1")) == encoders.describe(hub)


def test_a_folder_is_named_as_in_params_so_that_a_copy_of_the_project_finds_its_own(
    params, tiny, tmp_path, monkeypatch
):
    model, tokenizer = encoders.load(tiny, 0.0)
    model.save_pretrained("data/local/mine")
    tokenizer.save_pretrained("data/local/mine")
    weights = artifacts.sha256(tmp_path / "data/local/mine/model.safetensors")
    own = FolderEncoder(source="folder", path="data/local/mine", sha256=weights)
    initial_encoder.write("m1", params(m1=Member(seed=1, encoder=own)))
    copy = tmp_path.with_name(f"{tmp_path.name}-copy")
    shutil.move(tmp_path / "data", copy / "data")
    monkeypatch.chdir(copy)
    encoder, _ = initial_encoder.load(paths.initial_encoder("m1"), 0.0)
    torch.testing.assert_close(encoder.state_dict(), model.state_dict())
    assert initial_encoder.describe(paths.initial_encoder("m1"))["path"] == "mine"


def test_a_candidates_encoder_lies_in_the_start(params, selected):
    initial_encoder.write("m1", params(m1=Member(seed=1, refined=2)))
    shutil.rmtree(paths.SELECTED)
    folder = paths.initial_encoder("m1")
    model, tokenizer = initial_encoder.load(folder, 0.3)
    torch.testing.assert_close(model.state_dict(), selected)
    assert model.config.attention_probs_dropout_prob == 0.3
    assert tokenizer("a cat")["input_ids"]
    weights = artifacts.sha256(folder / "encoder" / "model.safetensors")
    assert (
        initial_encoder.describe(folder)
        == {"source": "refined", "rank": 2, "sha256": weights} | CANDIDATE
    )


def test_from_a_candidate_to_an_encoder_leaves_no_ghost(params, selected):
    initial_encoder.write("m1", params(m1=Member(seed=1, refined=2)))
    initial_encoder.write("m1", params(m1=Member(seed=1)))
    assert list(files(paths.initial_encoder("m1"))) == ["start.json"]


def test_twice_the_same_gives_the_same_bytes(params, selected):
    initial_encoder.write("m1", params(m1=Member(seed=1, refined=2)))
    first = files(paths.initial_encoder("m1"))
    initial_encoder.write("m1", params(m1=Member(seed=1, refined=2)))
    assert files(paths.initial_encoder("m1")) == first
    assert len(first) >= 4


def test_a_rank_that_is_not_there_names_the_stage(params, selected):
    with pytest.raises(EncoderError, match=r"selected at rank 3(.|\n)*dvc repro select"):
        initial_encoder.write("m1", params(m1=Member(seed=1, refined=3)))
    assert not paths.initial_encoder("m1").exists()


def test_a_selected_encoder_with_other_weights_is_refused(params, selected):
    (paths.selected(2) / "encoder" / "model.safetensors").write_bytes(b"others")
    with pytest.raises(EncoderError, match="not those of candidate c2") as error:
        initial_encoder.write("m1", params(m1=Member(seed=1, refined=2)))
    assert error.value.where == paths.selected(2) / "encoder" / "model.safetensors"
    assert error.value.fix == "dvc repro --single-item --force select"
    assert not paths.initial_encoder("m1").exists()


@pytest.mark.parametrize(
    "spoil", [lambda file: file.unlink(), lambda file: file.write_bytes(b"others")]
)
def test_a_start_that_is_not_whole_is_refused(params, selected, spoil):
    initial_encoder.write("m1", params(m1=Member(seed=1, refined=2)))
    spoil(paths.initial_encoder("m1") / "encoder" / "model.safetensors")
    with pytest.raises(EncoderError, match="not those of candidate c2") as error:
        initial_encoder.load(paths.initial_encoder("m1"), 0.0)
    assert error.value.fix == "dvc repro --single-item --force initialize@m1"


@pytest.mark.parametrize(
    "read", [initial_encoder.describe, lambda folder: initial_encoder.load(folder, 0.0)]
)
def test_without_a_start_the_error_names_the_stage(read):
    with pytest.raises(EncoderError, match=r"no start(.|\n)*dvc repro initialize@m7"):
        read(paths.initial_encoder("m7"))


RANDOM = RandomEncoder(source="random", seed=0, depth=1, hidden=4, attention_heads=1)


@pytest.mark.parametrize(
    ("note", "message"),
    [
        ({}, "has `encoder` or `refined`"),
        (
            {
                "encoder": RANDOM.model_dump(),
                "refined": {**CANDIDATE, "rank": 1, "sha256": "b" * 64},
            },
            "has `encoder` or `refined`",
        ),
        ({"encoder": {"source": "cloud"}}, "source"),
        ({"encoder": {**RANDOM.model_dump(), "depth": 0}}, "greater than or equal to 1"),
        ({"refined": {**CANDIDATE, "rank": 1}}, "Field required"),
        ([], "instance of"),
    ],
    ids=["nothing", "both", "no such source", "bad value", "no hash", "no mapping"],
)
def test_a_start_that_names_no_encoder_is_refused(note, message):
    artifacts.write_json(paths.initial_encoder("m1") / "start.json", note)
    with pytest.raises(EncoderError, match=f"does not say which encoder(.|\n)*{message}"):
        initial_encoder.describe(paths.initial_encoder("m1"))
