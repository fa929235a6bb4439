"""What pyproject.toml asks for is pinned, exactly and at versions that do.

Run with: python -m pytest tests/test_requirements.py
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
LOCK = "requirements.txt"
LOCKS = (LOCK, "requirements-encoders.txt", "requirements-bench.txt")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
ASKED = [
    Requirement(text)
    for group in (PROJECT["dependencies"], *PROJECT["optional-dependencies"].values())
    for text in group
]


def requirements(lock: str) -> list[Requirement]:
    lines = (ROOT / lock).read_text("utf-8").splitlines()
    bare = [line.partition(" #")[0].strip() for line in lines if not line.startswith("#")]
    return [Requirement(line) for line in bare if line]


def version(pinned: Requirement) -> str:
    (only,) = pinned.specifier
    return only.version


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_is_one_exact_version(lock: str) -> None:
    pins = requirements(lock)
    assert pins
    for pinned in pins:
        (only,) = pinned.specifier
        assert only.operator == "==", str(pinned)
        assert "*" not in only.version, str(pinned)


def test_nothing_is_pinned_twice() -> None:
    names = [canonicalize_name(pinned.name) for lock in LOCKS for pinned in requirements(lock)]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("requirement", ASKED, ids=str)
def test_what_is_asked_for_is_pinned_at_a_version_that_does(requirement: Requirement) -> None:
    pins = {canonicalize_name(pinned.name): pinned for pinned in requirements(LOCK)}
    pinned = pins[canonicalize_name(requirement.name)]
    assert requirement.specifier.contains(version(pinned), prereleases=True), str(pinned)
