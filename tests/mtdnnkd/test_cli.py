"""One command for everything: lazy, with an example in each help, the same code as `python -m`.

Run with: python -m pytest tests/mtdnnkd/test_cli.py
"""

from __future__ import annotations

import json
import os
import re
import resource
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperCommand, TyperGroup
from typer.testing import CliRunner

from mtdnnkd import __version__, cli, commands
from pipeline.runtime import progress

ROOT = Path(__file__).resolve().parents[2]
# Any one of them would make `--help` take up to several seconds.
HEAVY = {
    *("torch", "transformers", "tokenizers", "safetensors", "pandas", "scipy", "sklearn"),
    *("huggingface_hub", "requests", "dvc"),
}
SECONDS = 1.0  # of CPU time, on an idle core


def run(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def leaves(
    command: TyperCommand | TyperGroup, path: tuple[str, ...]
) -> Iterator[tuple[TyperCommand | TyperGroup, tuple[str, ...]]]:
    yield command, path
    if isinstance(command, TyperGroup):
        for name, part in command.commands.items():
            yield from leaves(part, (*path, name))


EVERY = [entry for name in commands.MODULES for entry in leaves(commands.load(name), (name,))]


def test_help_lists_every_stage_in_order_and_every_tool():
    result = CliRunner().invoke(cli.app, ["--help"])
    assert result.exit_code == 0
    stages, _, tools = result.stdout.partition("─ Stages ─")[2].partition("─ Tools ─")
    assert re.findall(r"^│ (\w+) ", stages, re.MULTILINE) == list(commands.STAGES)
    assert re.findall(r"^│ (\w+) ", tools, re.MULTILINE) == commands.PANELS["Tools"]
    assert {"plan", "profile", "predict", "results", "usage"} <= set(commands.PANELS["Tools"])


def test_every_command_line_of_stages_is_a_command():
    files = {f"stages.{path.stem}" for path in (ROOT / "stages").glob("[!_]*.py")}
    assert files <= set(commands.MODULES.values())


@pytest.mark.parametrize(("command", "path"), EVERY, ids=[" ".join(path) for _, path in EVERY])
def test_each_help_has_an_example_that_parses(command, path):
    (example,) = re.findall(r"^Example: mtdnnkd (.*)$", command.help, re.MULTILINE)
    words = shlex.split(example)
    assert tuple(words[: len(path)]) == path
    context, rest = typer.Context(command), words[len(path) :]
    while isinstance(command, TyperGroup):
        _, command, rest = command.resolve_command(context, rest)
    command.make_context("example", list(rest))


def test_no_help_loads_a_heavy_library():
    code = f"""
import json, sys
from contextlib import redirect_stdout
from io import StringIO
from mtdnnkd import cli, commands
loaded = {{}}
for words in [["--help"], *([name, "--help"] for name in commands.MODULES)]:
    with redirect_stdout(StringIO()) as shown:
        cli.app(words, standalone_mode=False)
    assert "Usage:" in shown.getvalue(), words
    if heavy := {HEAVY!r} & set(sys.modules):
        loaded[words[0]] = sorted(heavy)
        break
print(json.dumps(loaded))
"""
    process = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert process.stderr == ""
    assert json.loads(process.stdout) == {}


def test_help_of_all_commands_imports_none_of_them():
    code = (
        "import sys\nfrom mtdnnkd import cli\ncli.app(['--help'], standalone_mode=False)\n"
        "print(*(name for name in sys.modules if name.startswith('stages.')), file=sys.stderr)"
    )
    process = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert process.stderr.split() == ["stages._cli"]


@pytest.mark.parametrize(
    "words", [["--help"], ["teach", "--help"], ["plan", "--help"], ["results", "--help"]]
)
def test_help_is_quick(words):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert run("mtdnnkd", *words).returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # CPU time, as other processes share the cores; alone, wall time is hardly more.
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < SECONDS


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ([], "Stages"),
        (["tech"], "No such command 'tech'. Did you mean 'teach'?"),
        (["--loud"], "No such option: --loud"),
        (["teach", "--task", "rte"], "Missing option '--member'"),
    ],
)
def test_bad_usage_shows_help_and_exits_with_2(words, text):
    result = CliRunner().invoke(cli.app, words)
    assert result.exit_code == 2
    assert text in result.output
    assert "Usage: " in result.output


def test_version():
    result = CliRunner().invoke(cli.app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"mtdnnkd {__version__}\n")


def test_a_command_is_the_function_of_its_module():
    from stages import teach

    assert commands.load("teach").callback.__wrapped__ is teach.main


def test_it_ends_as_python_m_does():
    options = ("--task", "x", "--member", "m1", "--fold", "all")
    ours, theirs = run("mtdnnkd", "teach", *options), run("stages.teach", *options)
    assert ours.returncode == theirs.returncode == 2
    assert (ours.stdout, ours.stderr) == (theirs.stdout, theirs.stderr)
    assert ours.stderr.startswith("error: no such name under teachers.tasks")
    assert "Traceback" not in ours.stderr


def test_in_a_folder_without_a_project_it_says_what_is_missing(tmp_path):
    process = run("mtdnnkd", "select", folder=tmp_path)
    assert process.returncode == 2
    assert "params.yaml" in process.stderr
    assert "Traceback" not in process.stderr


def test_messages_quote_the_command_that_ran(monkeypatch, capsys):
    def main() -> None:
        raise MemoryError

    monkeypatch.setattr("stages.select.app", cli._cli.application())
    commands.import_module("stages.select").app.command()(main)
    monkeypatch.setattr(sys, "argv", ["mtdnnkd", "--quiet", "select"])
    monkeypatch.setenv(progress.QUIET, "0")
    with pytest.raises(SystemExit) as error:
        cli.main()
    assert error.value.code == 2
    message = capsys.readouterr().err
    assert "out of memory" in message
    assert "where: select;" in message


def test_quiet_silences_progress(monkeypatch):
    monkeypatch.setenv(progress.QUIET, "0")
    monkeypatch.setattr(sys, "argv", ["mtdnnkd"])
    result = CliRunner().invoke(cli.app, ["--quiet", "profile", "list"])
    assert result.exit_code == 0
    assert "glue-cpu" in result.stdout
    assert progress.quiet()
