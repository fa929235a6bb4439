"""A small project in a temporary Git repository, with the checkout's code and DVC's own CLI."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from ruamel.yaml import YAML

ROOT = Path(__file__).resolve().parent.parent.parent
CODE = ("pipeline", "stages", "orchestration", "scripts", "profiles")
FILES = (
    "dvc.yaml",
    "params.yaml",
    ".dvcignore",
    ".gitignore",
    ".gitattributes",
    ".dvc/config",
    ".dvc/.gitignore",
    ".dvc/plots/losses.json",
    ".dvc/plots/page.html",
    ".dvc/plots/systems.json",
    "data/local/README.md",
    "data/texts/README.md",
    "data/refined/.gitkeep",
    "data/tuned/.gitkeep",
    "README.md",
)
_YAML = YAML()
_RAN = re.compile(r"Running stage '(.+)'")
_DONE = re.compile(r"^(\S+) +(?:done in|failed after) ", re.MULTILINE)
_LIGHT = {"source": "random", "seed": 5, "depth": 2, "hidden": 16, "attention_heads": 2}
_QUICK = {"epochs": 1, "batch_size": 16, "max_length": 32, "dropout": 0.1}


@dataclass(frozen=True)
class Project:
    """A project folder and what one does in it."""

    root: Path

    @property
    def environment(self) -> dict[str, str]:
        return environment()

    @staticmethod
    def ran(output: str) -> set[str]:
        """Names of the stages that DVC says it executed."""
        return set(_RAN.findall(output))

    def run(self, *command: str, code: int | None = 0, **env: str) -> str:
        """Run a command in the project and give what it printed, once its exit code is right."""
        process = subprocess.run(
            command,
            cwd=self.root,
            env={**self.environment, **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            check=False,
            timeout=900,
        )
        assert code is None or process.returncode == code, process.stdout
        return process.stdout

    def python(self, *arguments: str, code: int | None = 0, **env: str) -> str:
        return self.run(sys.executable, *arguments, code=code, **env)

    def dvc(self, *arguments: str, code: int | None = 0, **env: str) -> str:
        return self.python("-m", "dvc", *arguments, code=code, **env)

    def git(self, *arguments: str) -> str:
        return self.run("git", *arguments)

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-qm", "state", "--allow-empty")

    def repro(self, jobs: int = 1, *more: str) -> set[str]:
        """Do as `make repro` does and give the stages that were executed."""
        output = self.python("-m", "orchestration.repro", "--jobs", str(jobs), *more)
        return set(_DONE.findall(output))

    def experiment(self, *overrides: str) -> set[str]:
        flags = [part for override in overrides for part in ("-S", override)]
        return self.ran(self.dvc("exp", "run", *flags))

    def change(self, edit: Callable[[Any], object]) -> None:
        """Edit params.yaml through a function that is given its sections."""
        file = self.root / "params.yaml"
        params = _YAML.load(file)
        edit(params)
        _YAML.dump(params, file)

    def lock(self) -> str:
        return (self.root / "dvc.lock").read_text("utf-8")

    def digests(self) -> dict[str, str]:
        """MD5 of every output in dvc.lock, by path."""
        stages = YAML(typ="safe").load(self.lock())["stages"].values()
        return {out["path"]: out["md5"] for stage in stages for out in stage["outs"]}

    def clone(self, folder: Path) -> Project:
        """A Git clone with this project's DVC cache, checked out."""
        self.run("git", "clone", "-q", str(self.root), str(folder))
        copy, cache = Project(folder), Path(".dvc/cache")
        if (self.root / cache).exists():
            shutil.copytree(self.root / cache, folder / cache, copy_function=os.link)
            copy.dvc("checkout", "-q")
        return copy


def environment() -> dict[str, str]:
    """This process's environment, without this user's Git and DVC settings."""
    whose = ("AUTHOR", "COMMITTER")
    names = {f"GIT_{who}_NAME": "test" for who in whose}
    mails = {f"GIT_{who}_EMAIL": "test@example.org" for who in whose}
    own = {key: value for key, value in os.environ.items() if not key.startswith(("DVC_", "GIT_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    git = {"GIT_CONFIG_GLOBAL": os.devnull, **names, **mails}
    return {**own, **git, "DVC_NO_ANALYTICS": "1", "PATH": path}


def make_small(params: Any) -> None:
    """Three tasks, two of them with teachers, two members, a few rows, tiny models."""
    tasks = ("rte", "stsb", "wnli")
    params["data"]["source"] = "sample"
    params["data"]["sources"]["sample"].update({"seed": 7, "train": 24, "dev": 20, "test": 20})
    params["tasks"] = {task: params["tasks"][task] for task in tasks}
    params["teachers"].update({"encoder": dict(_LIGHT), **_QUICK})
    params["teachers"].update({"tasks": {"rte": {}, "stsb": {}}})
    params["teachers"].update({"members": {"m1": {"seed": 1}, "m2": {"seed": 2}}})
    params["refinement"].update({"encoder": dict(_LIGHT), **_QUICK})
    params["tuning"].update({key: _QUICK[key] for key in ("epochs", "batch_size", "max_length")})
    params["student"].update({"encoder": {**_LIGHT, "layers": "every_second"}, **_QUICK})
    params["machine"].update({"device": "cpu", "threads": 1})


def create(folder: Path) -> Project:
    """A new project with small parameters, committed, never run."""
    for name in CODE:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, folder / name)
    project = Project(folder)
    project.change(make_small)
    project.git("init", "-q", "-b", "main")
    project.commit()
    return project


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of pytest-xdist have in common."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def untouched(shared: Path) -> Project:
    """A project that is never run, so that all others start from the same code."""
    return once(shared / "untouched" / "project", create)


@pytest.fixture(scope="session")
def base(shared: Path, untouched: Project) -> Project:
    """A project that was run once from scratch, one stage at a time; tests only read it."""

    def build(folder: Path) -> None:
        project = untouched.clone(folder)
        project.repro()
        project.commit()

    return once(shared / "base" / "project", build)


def once(folder: Path, build: Callable[[Path], object]) -> Project:
    """A project that the first worker who asks for it builds, while the others wait."""
    folder.parent.mkdir(exist_ok=True)
    marker = folder.with_name("done")
    with FileLock(folder.with_name("lock")):
        if not marker.exists():
            build(folder)
            marker.touch()
    return Project(folder)


@pytest.fixture(scope="module")
def copy(base: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A clone of the base run; the tests of one file change it and change it back."""
    return base.clone(tmp_path_factory.mktemp("copy") / "project")


@pytest.fixture
def as_committed(copy: Project) -> Iterator[Project]:
    """The module's clone; afterwards everything is as it was committed."""
    yield copy
    copy.git("checkout", "-q", "HEAD", "--", ".")
    copy.dvc("checkout", "-q")


@pytest.fixture
def fresh(untouched: Project, tmp_path: Path) -> Project:
    """A project that was never run, at a path with a space."""
    return untouched.clone(tmp_path / "my project")
