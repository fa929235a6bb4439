"""The package, CITATION.cff and CHANGELOG.md name the same version.

Run with: python -m pytest tests/test_versions.py
"""

from __future__ import annotations

import re
from pathlib import Path

from ruamel.yaml import YAML

from mtdnnkd import __version__

ROOT = Path(__file__).resolve().parents[1]
HEADING = re.compile(r"^## (Unreleased \()?(\d+\.\d+\.\d+)\b", re.MULTILINE)


def versions() -> list[tuple[bool, str]]:
    """Versions of the changelog, the newest first, and whether each is unreleased."""
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    return [(bool(mark), version) for mark, version in HEADING.findall(text)]


def test_a_citation_names_the_last_release() -> None:
    cited = YAML(typ="safe").load((ROOT / "CITATION.cff").read_text("utf-8"))["version"]
    assert cited == next(version for unreleased, version in versions() if not unreleased)


def test_the_package_has_the_newest_version_of_the_changelog() -> None:
    unreleased, version = versions()[0]
    assert __version__ == (f"{version}.dev0" if unreleased else version)
