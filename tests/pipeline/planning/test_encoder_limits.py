"""Encoders that cannot do what the parameters ask of them, found before anything is trained.

Run with: python -m pytest tests/pipeline/planning/test_encoder_limits.py
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import ParamsError
from pipeline.params import file, profiles
from pipeline.params.sections import Params
from pipeline.planning import encoder_limits

ROOT = Path(__file__).resolve().parents[3]

TINY = "{source: random, seed: 1, depth: 1, hidden: 8, attention_heads: 2}"
MATCHED = (
    "distillation.features={member: m1, attention: null, "
    "hidden: {weight: 1.0, loss: mse, layers: %s}}"
)


def params(*overrides: str, profile: str = "glue-cpu") -> Params:
    return file.check(profiles.values(profile, overrides, ROOT / "profiles"))


@pytest.mark.parametrize("profile", ["sample", "glue-cpu", "glue-base", "paper"])
def test_the_profiles_are_within_their_encoders_limits(profile: str) -> None:
    encoder_limits.check(params(profile=profile))


@pytest.mark.parametrize(
    ("override", "line"),
    [
        # MiniLM-L6 has 6 layers and takes 512 tokens
        ("student.encoder.layers=[1,9]", "student.encoder.layers: [1, 9], but this encoder has 6"),
        ("student.max_length=513", "student.max_length: 513 tokens"),
        ("tuning.max_length=600", "tuning.max_length: 600 tokens"),
        ("refinement.max_length=600", "refinement.max_length: 600 tokens"),
        ("teachers.max_length=600", "teachers.max_length: 600 tokens"),
        (MATCHED % "[[3, 6], [4, 6]]", "[4, 6], but the student has 3 layers and member m1 6"),
        (MATCHED % "[[3, 7]]", "[3, 7], but the student has 3 layers and member m1 6"),
    ],
)
def test_what_an_encoder_lacks_is_told(override: str, line: str) -> None:
    with pytest.raises(ParamsError, match="1 fault ") as error:
        encoder_limits.check(params(override, "tuning.tasks={rte: {}}"))
    assert line in str(error.value)
    assert "dvc exp run -S" in str(error.value)


@pytest.mark.parametrize(
    "override", ["student.max_length=512", "student.encoder.layers=[6]", MATCHED % "[[3, 6]]"]
)
def test_up_to_the_limit_all_is_well(override: str) -> None:
    encoder_limits.check(params(override))


def test_half_of_one_layer_is_none() -> None:
    tiny = TINY.replace("}", ", layers: every_second}")
    with pytest.raises(ParamsError, match="has 1;"):
        encoder_limits.check(params(f"student.encoder={tiny}", "distillation.features=null"))


def test_every_fault_is_told_once() -> None:
    with pytest.raises(ParamsError, match="2 faults") as error:
        encoder_limits.check(params("teachers.max_length=600", "student.max_length=600"))
    assert str(error.value).count("  - ") == 2
