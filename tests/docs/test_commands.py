"""Every command on a page is one that its program accepts, and every snippet is well formed.

Commands are parsed: by make without execution, by DVC's and the project's own parsers. Overrides of
`dvc exp run -S` are applied to a profile and checked as a run would. Those that take a second and
need no results are run in a copy of the project; runs.yaml says which test runs the others.

Run with: python -m pytest tests/docs/test_commands.py
"""

from __future__ import annotations

import importlib
import itertools
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import typer
from dvc.cli import parse_args
from dvc.utils.hydra import apply_overrides
from ruamel.yaml import YAML
from typer.core import TyperGroup

from pipeline.params import file, profiles
from tests.docs.pages import PAGES, ROOT, blocks, commands
from tests.dvc.conftest import Project

PROGRAMS = {"make", "dvc", "mtdnnkd", "python"}
QUICK = re.compile(r"mtdnnkd (--help|\w+ --help|profile (list|diff)\b.*|plan\b.*)$")
"""Commands that are run here."""
SHELL = {"source", "git", "printf", "export", "cd", "pip", "PIP_EXTRA_INDEX_URL"}
"""First words of lines that are the shell's, Git's or pip's own."""
RUNS = YAML(typ="safe").load(Path(__file__).with_name("runs.yaml"))
"""Which test runs a command, or why none does."""
EARLIER = ["student.epochs=3"]
"""Overrides that go back to what params.yaml had before another; all others change something."""
COMMANDS = commands()
QUICK_COMMANDS = sorted({command for _, command in COMMANDS if QUICK.match(command)})


def test_pages_have_commands() -> None:
    assert len(COMMANDS) > 40


@pytest.mark.parametrize(("page", "command"), COMMANDS)
def test_a_command_is_accepted(page: str, command: str, tmp_path: Path) -> None:
    words = shlex.split(command, comments=True)
    while "=" in words[0] and words[0].partition("=")[0].isupper():
        words = words[1:]
    program, arguments = words[0], words[1:]
    if program == "make":
        process = subprocess.run(
            ["make", "-n", "VENV=.venv-none", *arguments], cwd=ROOT, capture_output=True, text=True
        )
        assert process.returncode == 0, process.stderr
    elif program == "dvc":
        parse_args(arguments)
        if arguments[:2] == ["exp", "run"]:
            check_overrides(words, tmp_path)
    elif program == "mtdnnkd":
        parse_typer("mtdnnkd.cli", arguments)
    elif program == "python" and arguments[0] == "-c":
        compile(arguments[1], page, "exec")
    elif program == "python" and arguments[0] == "-m":
        parse_typer(arguments[1], arguments[2:])
    else:
        assert program in SHELL, f"{page}: who checks `{command}`?"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the project, committed, in which nothing was run."""
    project = Project(tmp_path_factory.mktemp("docs") / "project")
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, tracked.stdout.decode().split("\0")):
        if (ROOT / name).is_file() and not name.startswith("tests/"):
            (project.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, project.root / name)
    project.git("init", "-q", "-b", "main")
    project.commit()
    return project


def test_pages_have_quick_commands() -> None:
    assert len(QUICK_COMMANDS) >= 6


def test_a_command_that_is_not_run_has_its_reason() -> None:
    listed = {
        *(command for commands in RUNS["in_a_project"].values() for command in commands),
        *RUNS["alike"],
        *RUNS["not_run"],
    }
    on_pages = {command for _, command in COMMANDS}
    own = {command for command in on_pages if command.split()[0] in PROGRAMS}
    assert sorted(own - set(QUICK_COMMANDS) - listed) == []
    assert sorted(listed - on_pages) == []
    assert [file for file in RUNS["alike"].values() if not (ROOT / file).is_file()] == []


@pytest.mark.medium
@pytest.mark.parametrize("command", [*QUICK_COMMANDS, "mtdnnkd compare HEAD"])
def test_a_quick_command_runs(checkout: Project, command: str) -> None:
    program, *arguments = shlex.split(command, comments=True)
    assert checkout.python("-m", program, *arguments).strip()
    assert checkout.git("status", "--short") == ""


def parse_typer(module: str, arguments: list[str]) -> None:
    """Parse a command line down to its last command, without running it."""
    program = importlib.import_module(module)
    if not hasattr(program, "app"):
        program = importlib.import_module(f"{module}.__main__")
    command, words = typer.main.get_command(program.app), arguments
    while isinstance(command, TyperGroup) and words and not words[0].startswith("-"):
        _, command, words = command.resolve_command(typer.Context(command), list(words))
    if words != ["--help"]:
        command.make_context("command", list(words))


def check_overrides(words: list[str], folder: Path) -> None:
    """Apply -S to the sample's params, or to those of a profile that has the key, and check."""
    overrides = [word for flag, word in itertools.pairwise(words) if flag == "-S"]
    assert overrides
    params = folder / "params.yaml"
    for name in ("sample", "glue-cpu"):
        params.write_text(profiles.text(name), "utf-8")
        before = YAML(typ="safe").load(params)
        apply_overrides(str(params), expand(overrides))
        values = YAML(typ="safe").load(params)
        try:
            file.check(values, where=params)
        except Exception:
            if name == "glue-cpu":
                raise
        else:
            assert values != before or overrides == EARLIER, f"{name} is so already"
            return


def expand(overrides: list[str]) -> list[str]:
    """The first value of a sweep such as key=1.0,2.0."""
    return [re.sub(r"=([\w.]+),[\w.,]+$", r"=\1", one) for one in overrides]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_block_has_a_language_and_one_of_text_no_command(page: Path) -> None:
    fences = re.findall(r"^ *```(.*)\n((?:.*\n)*?) *```$", page.read_text("utf-8"), re.MULTILINE)
    for language, block in fences:
        assert language, f"{page.name}: {block}"
        if language == "text":
            assert not PROGRAMS & {line.split(" ")[0] for line in block.splitlines()}, page.name


@pytest.mark.parametrize(("page", "block"), list(blocks("yaml")))
def test_yaml_is_well_formed(page: str, block: str) -> None:
    assert YAML(typ="safe").load(block), page


@pytest.mark.parametrize(("page", "block"), list(blocks("python")))
def test_python_is_well_formed(page: str, block: str) -> None:
    compile(block, page, "exec")


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 150
