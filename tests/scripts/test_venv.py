"""`make setup`: what it creates, keeps and leaves alone.

Run with: python -m pytest tests/scripts/test_venv.py
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = ("Makefile", "scripts/venv.sh")
MARKER = "made-by-make-setup"
# Stands in for Python: `-m venv` makes a folder with itself in it, and every other module it is
# asked for is noted with the `python` that comes first; pip fails while a file no-network exists.
PYTHON = """#!/bin/sh
case "$1 $2" in
    "-c "*) exit 0 ;;
    "-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && cp "$0" "$3/bin/python3.11" ;;
    *) echo "$(command -v python) $*" >>calls ;;
esac
case "$2" in pip) test ! -e no-network ;; esac
"""


class Checkout:
    """A folder with what `make setup` needs."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tools = root.parent / "tools"
        for name in FILES:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, root / name)
        self.lock("a==1")
        (root / "requirements-encoders.txt").write_text("b==1\n")
        self.tools.mkdir()
        (self.tools / "python3.11").write_text(PYTHON)
        (self.tools / "python3.11").chmod(0o755)

    def lock(self, text: str) -> None:
        (self.root / "requirements.txt").write_text(f"{text}\n")

    def make(self, *arguments: str, code: int = 0) -> str:
        # The suite itself may have been started by make, which hands down what it was given.
        own = {
            k: v
            for k, v in os.environ.items()
            if not k.startswith(("MAKE", "MFLAGS", "VENV", "PYTHON"))
        }
        process = subprocess.run(
            ["make", *arguments],
            cwd=self.root,
            env={**own, "PATH": f"{self.tools}{os.pathsep}{own['PATH']}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=60,
        )
        assert process.returncode == code, process.stdout
        return process.stdout

    def calls(self) -> list[str]:
        """What Python was asked to run since the last call."""
        file = self.root / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return lines

    def ready(self, venv: str = ".venv") -> list[str]:
        return [path.name for path in (self.root / venv).glob("ready-*")]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "my project")


def test_it_is_created_once(checkout: Checkout) -> None:
    checkout.make("setup")
    assert (checkout.root / ".venv" / MARKER).is_file()
    assert len(checkout.ready()) == 1
    assert [call.count("pip install") for call in checkout.calls()] == [1, 1, 1]
    checkout.make("setup")
    assert checkout.calls() == []


def test_an_empty_folder_may_be_filled(checkout: Checkout) -> None:
    (checkout.root / ".venv").mkdir()
    checkout.make("setup")
    assert len(checkout.ready()) == 1


@pytest.mark.parametrize("left", [["bin/python"], ["bin/python", "ready-123"], ["notes.txt"]])
def test_one_made_by_hand_is_left_alone(checkout: Checkout, left: list[str]) -> None:
    venv = checkout.root / ".venv"
    for name in left:
        (venv / name).parent.mkdir(parents=True, exist_ok=True)
        (venv / name).write_text("by hand")
    message = checkout.make("setup", code=2)
    assert "error: .venv was not made by `make setup`" in message
    assert str(venv) in message
    assert "make setup VENV=.venv-mtdnnkd" in message
    checkout.make("setup", "VENV=.venv-mtdnnkd")
    assert len(checkout.ready(".venv-mtdnnkd")) == 1
    files = sorted(path for path in venv.rglob("*") if path.is_file())
    assert [path.relative_to(venv).as_posix() for path in files] == sorted(left)
    assert {path.read_text() for path in files} == {"by hand"}


def test_an_unfinished_one_is_created_anew(checkout: Checkout) -> None:
    (checkout.root / "no-network").touch()
    checkout.make("setup", code=2)
    assert checkout.ready() == []
    stale = checkout.root / ".venv" / "stale"
    stale.touch()
    (checkout.root / "no-network").unlink()
    checkout.make("setup")
    assert not stale.exists()
    assert len(checkout.ready()) == 1


def test_a_changed_lock_is_installed_into_the_same_one(checkout: Checkout) -> None:
    checkout.make("setup")
    before, marker = checkout.ready(), checkout.root / ".venv" / "kept"
    checkout.calls()
    marker.touch()
    checkout.lock("a==2")
    checkout.make("setup")
    assert marker.exists()
    assert len(checkout.calls()) == 3
    assert len(checkout.ready()) == 1
    assert checkout.ready() != before


def only(checkout: Checkout, *versions: str) -> None:
    """Leave only the named Pythons, each of which knows its version; all others fail."""
    for name in ("python3.11", "python3.12", "python3.13", "python3", "python"):
        program = PYTHON if name.removeprefix("python") in versions else "#!/bin/sh\nexit 1\n"
        (checkout.tools / name).write_text(program)
        (checkout.tools / name).chmod(0o755)


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_each_supported_python_does(checkout: Checkout, version: str) -> None:
    only(checkout, version)
    checkout.make("setup")
    assert len(checkout.ready()) == 1


def test_the_oldest_python_is_preferred(checkout: Checkout) -> None:
    only(checkout, "3.11", "3.12", "3.13")
    for name in ("python3.12", "python3.13"):
        (checkout.tools / name).write_text(PYTHON.replace("mkdir", "exit 1; mkdir"))
    checkout.make("setup")
    assert len(checkout.ready()) == 1


def test_a_named_python_is_taken_and_no_other(checkout: Checkout) -> None:
    only(checkout, "3.11")
    message = checkout.make("setup", "PYTHON=python3.12", code=2)
    assert "error: no Python 3.11, 3.12 or 3.13 found as python3.12" in message
    only(checkout, "3.12")
    checkout.make("setup", "PYTHON=python3.12")
    assert len(checkout.ready()) == 1


@pytest.mark.parametrize("version", [(3, 10), (3, 14)])
def test_other_pythons_are_refused(checkout: Checkout, version: tuple[int, int]) -> None:
    only(checkout)
    fake = f"import sys\nsys.version_info = (*{version}, 0)\nexec(sys.argv[2])\n"
    (checkout.tools / "fake.py").write_text(fake)
    program = f'#!/bin/sh\nexec "{sys.executable}" "{checkout.tools}/fake.py" "$@"\n'
    (checkout.tools / "python3").write_text(program)
    message = checkout.make("setup", code=2)
    assert "error: no Python 3.11, 3.12 or 3.13 found" in message


def test_without_python_it_says_what_to_install(checkout: Checkout) -> None:
    only(checkout)
    assert "error: no Python 3.11, 3.12 or 3.13 found" in checkout.make("setup", code=2)
    assert not (checkout.root / ".venv").exists()


@pytest.mark.parametrize("venv", [".venv", "other", "{}/elsewhere"])
def test_its_python_comes_first_wherever_it_is(
    checkout: Checkout, tmp_path: Path, venv: str
) -> None:
    venv = venv.format(tmp_path)
    checkout.make("test", f"VENV={venv}")
    python = checkout.root / venv / "bin" / "python"
    assert checkout.calls()[-1] == f"{python} -m pytest -n auto --dist loadfile -m not slow"


def test_data_without_a_profile_is_refused_before_anything_is_installed(checkout: Checkout) -> None:
    message = checkout.make("repro", "DATA=glue", code=2)
    assert "DATA needs PROFILE, for example: make repro PROFILE=glue-cpu DATA=glue" in message
    assert not (checkout.root / ".venv").exists()
    assert checkout.calls() == []
    checkout.make("help", "DATA=glue")


def test_data_goes_to_the_profile(checkout: Checkout) -> None:
    checkout.make("repro", "PROFILE=glue-cpu", "DATA=my glue")
    applied = "-m stages.profile apply glue-cpu --set data.folder=my glue"
    assert [call for call in checkout.calls() if call.endswith(applied)]
