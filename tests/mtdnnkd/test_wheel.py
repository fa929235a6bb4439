"""The built wheel, installed in an environment of its own, has the command `mtdnnkd`.

Run with: python -m pytest tests/mtdnnkd/test_wheel.py
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from mtdnnkd import __version__

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("mtdnnkd", "orchestration", "pipeline", "stages")


def run(*command: str | Path, folder: Path) -> str:
    process = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert process.returncode == 0, process.stderr
    return process.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the sources without network."""
    folder = tmp_path_factory.mktemp("build")
    for name in SOURCES:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet")
    run(*pip, "--no-deps", "--no-build-isolation", "--no-index", "-w", "dist", ".", folder=folder)
    (built,) = (folder / "dist").glob("*.whl")
    return built


@pytest.mark.slow
def test_it_holds_every_source_file_and_nothing_else(wheel: Path) -> None:
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    files = {
        path.relative_to(ROOT).as_posix()
        for folder in SOURCES
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert names == files


@pytest.mark.slow
def test_its_command_runs_in_an_empty_folder(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "venv", "--without-pip", "venv", folder=tmp_path)
    environment, empty = tmp_path / "venv", tmp_path / "empty"
    empty.mkdir()
    installed = Path(sysconfig.get_path("purelib", vars={"base": str(environment)}))
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    python = environment / "bin" / "python"
    run(
        *pip,
        "--python",
        python,
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        wheel,
        folder=empty,
    )
    # Last on the path: what the wheel needs comes from here, its own packages from the wheel.
    paths = [path for path in sys.path if path.endswith("-packages")]
    (installed / "requirements.pth").write_text("\n".join(paths) + "\n")
    command = environment / "bin" / "mtdnnkd"
    assert run(command, "--version", folder=empty) == f"mtdnnkd {__version__}\n"
    assert "Stages" in run(command, "--help", folder=empty)
    code = "import stages.teach; print(stages.teach.__file__)"
    assert run(python, "-c", code, folder=empty).startswith(str(installed))
    assert "Example: mtdnnkd teach" in run(command, "teach", "--help", folder=empty)
