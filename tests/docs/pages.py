"""The pages for readers, and the commands in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/*/*.md")])
PAGES += sorted(ROOT.glob("docs/*.md"))


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """Page and text of each block in a language; tests/extending runs those of its pages."""
    for page in PAGES:
        if "decisions" in page.parts or "extending" in page.parts:
            continue
        for block in re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), re.DOTALL):
            yield name(page), block


def commands() -> list[tuple[str, str]]:
    """Page and command, without its comment: lines of blocks, and `dvc exp run` within a text."""
    lines = [
        (page, line)
        for page, block in blocks("bash")
        for line in block.replace("\\\n", " ").splitlines()
        if shlex.split(line, comments=True)
    ]
    lines += [
        (name(page), line)
        for page in PAGES
        for line in re.findall(r"`(dvc exp run [^`]+)`", page.read_text("utf-8"))
        if "-S" in line and "..." not in line
    ]
    return [
        (page, re.split(r"\s+#", command)[0].strip())
        for page, line in lines
        for command in line.split(" && ")
    ]
