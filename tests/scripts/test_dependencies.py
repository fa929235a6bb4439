"""A stage is rerun by a change of the modules it imports, and by no other."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from scripts import dependencies

ROOT = Path(__file__).resolve().parent.parent.parent
STAGES = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text("utf-8"))["stages"]
CODE = ("pipeline/", "stages/")


def module_of(stage: dict[str, Any]) -> str:
    found = re.search(r"-m (\S+)", stage["cmd"])
    assert found
    return found[1]


@pytest.mark.parametrize("name", STAGES)
def test_code_deps_are_the_import_closure(name: str) -> None:
    listed = [dep for dep in STAGES[name]["deps"] if dep.startswith(CODE)]
    assert listed == dependencies.listed(module_of(STAGES[name]), ROOT), "run `make deps`"
    whole = dependencies.closure(module_of(STAGES[name]), ROOT)
    assert {file for dep in listed for file in files(dep)} == set(whole)


def files(dep: str) -> list[str]:
    """Code files of a dependency: the file itself, or all in a folder."""
    path = ROOT / dep
    found = [path] if path.is_file() else [f for f in path.rglob("*") if f.is_file()]
    return [f.relative_to(ROOT).as_posix() for f in found if f.suffix != ".pyc"]


@pytest.mark.medium
@pytest.mark.parametrize("name", STAGES)
def test_what_python_loads_is_listed(name: str) -> None:
    module = module_of(STAGES[name])
    code = (
        f"import {module}, sys; "
        "print(*(m.__file__ for n, m in sys.modules.items() "
        "if n.partition('.')[0] in ('pipeline', 'stages')), sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {Path(line).relative_to(ROOT).as_posix() for line in done.stdout.splitlines()}
    assert f"stages/{name}.py" in loaded
    deps = [dep for dep in STAGES[name]["deps"] if dep.startswith(CODE)]
    assert loaded <= {file for dep in deps for file in files(dep)}


@pytest.mark.parametrize("name", STAGES)
def test_of_the_machine_only_what_decides_results_is_a_dependency(name: str) -> None:
    stage = STAGES[name]
    of_machine = {key for key in stage.get("params", []) if str(key).startswith("machine")}
    assert of_machine <= {"machine.precision", "machine.engine", "machine.shards"}
    assert "params.yaml" not in stage["deps"]


@pytest.mark.parametrize("name", STAGES)
def test_commands_hold_names_and_no_values(name: str) -> None:
    assert re.fullmatch(
        r"python -m stages\.\w+( --(task|member|fold|candidate) \$\{item\.\2\})*",
        STAGES[name]["cmd"],
    )


def test_a_package_that_is_needed_whole_is_one_entry(tmp_path: Path) -> None:
    for path in ("pipeline/__init__", "pipeline/p/__init__", "pipeline/p/x", "pipeline/q/__init__"):
        write(tmp_path, f"{path}.py", "")
    write(tmp_path, "pipeline/q/y.py", "")
    write(tmp_path, "pipeline/a.py", "from pipeline.p import x\nimport pipeline.q")
    names = ["pipeline/__init__.py", "pipeline/a.py", "pipeline/p", "pipeline/q/__init__.py"]
    assert dependencies.listed("pipeline.a", tmp_path) == names
    write(tmp_path, "pipeline/p/z.py", "")
    parts = [*names[:2], "pipeline/p/__init__.py", "pipeline/p/x.py", names[3]]
    assert dependencies.listed("pipeline.a", tmp_path) == parts


def test_a_folder_in_a_package_that_is_needed_whole_is_no_entry_of_its_own(tmp_path: Path) -> None:
    for path in ("__init__", "p/__init__", "p/x", "p/fast/__init__", "p/fast/y"):
        write(tmp_path, f"pipeline/{path}.py", "")
    write(tmp_path, "pipeline/a.py", "from pipeline.p import x\nfrom pipeline.p.fast import y")
    names = ["pipeline/__init__.py", "pipeline/a.py", "pipeline/p"]
    assert dependencies.listed("pipeline.a", tmp_path) == names
    write(tmp_path, "pipeline/p/z.py", "")
    parts = [*names[:2], "pipeline/p/__init__.py", "pipeline/p/fast", "pipeline/p/x.py"]
    assert dependencies.listed("pipeline.a", tmp_path) == parts


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)


TREES = [
    ("plain import", {"pipeline/a.py": "import pipeline.b", "pipeline/b.py": ""}, {"a", "b"}),
    (
        "name of a module",
        {"pipeline/a.py": "from pipeline import b", "pipeline/b.py": ""},
        {"a", "b"},
    ),
    (
        "name in a module",
        {"pipeline/a.py": "from pipeline.b import f", "pipeline/b.py": ""},
        {"a", "b"},
    ),
    (
        "inside a function",
        {"pipeline/a.py": "def f():\n    from pipeline import b\n", "pipeline/b.py": ""},
        {"a", "b"},
    ),
    ("relative", {"pipeline/a.py": "from . import b", "pipeline/b.py": ""}, {"a", "b"}),
    ("relative name", {"pipeline/a.py": "from .b import f", "pipeline/b.py": ""}, {"a", "b"}),
    (
        "through another",
        {
            "pipeline/a.py": "import pipeline.b",
            "pipeline/b.py": "import pipeline.c",
            "pipeline/c.py": "",
        },
        {"a", "b", "c"},
    ),
    (
        "in a circle",
        {"pipeline/a.py": "import pipeline.b", "pipeline/b.py": "import pipeline.a"},
        {"a", "b"},
    ),
    ("not imported", {"pipeline/a.py": "import json", "pipeline/b.py": ""}, {"a"}),
    (
        "a package's own imports",
        {
            "pipeline/a.py": "from pipeline import p",
            "pipeline/p/__init__.py": "from . import q",
            "pipeline/p/q.py": "",
        },
        {"a", "p/__init__", "p/q"},
    ),
    (
        "a module's packages",
        {
            "pipeline/a.py": "import pipeline.p.q",
            "pipeline/p/__init__.py": "import pipeline.b",
            "pipeline/p/q.py": "",
            "pipeline/b.py": "",
        },
        {"a", "b", "p/__init__", "p/q"},
    ),
    (
        "two folders up",
        {
            "pipeline/a.py": "import pipeline.p.q",
            "pipeline/p/__init__.py": "",
            "pipeline/p/q.py": "from .. import b",
            "pipeline/b.py": "",
        },
        {"a", "b", "p/__init__", "p/q"},
    ),
]


@pytest.mark.parametrize(
    ("files", "expected"), [case[1:] for case in TREES], ids=[c[0] for c in TREES]
)
def test_closure(tmp_path: Path, files: dict[str, str], expected: set[str]) -> None:
    for name, text in {"pipeline/__init__.py": "", **files}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = dependencies.closure("pipeline.a", tmp_path)
    assert found == sorted(f"pipeline/{name}.py" for name in {*expected, "__init__"})


def test_data_beside_an_imported_module_counts(tmp_path: Path) -> None:
    package = tmp_path / "pipeline"
    (package / "p").mkdir(parents=True)
    for name in ("__init__.py", "a.py", "p/__init__.py", "p/words.txt", "p/.hidden"):
        (package / name).write_text("")
    assert "pipeline/p/words.txt" not in dependencies.closure("pipeline.a", tmp_path)
    found = dependencies.closure("pipeline.p", tmp_path)
    assert "pipeline/p/words.txt" in found
    assert "pipeline/p/.hidden" not in found


def test_rewrite_replaces_only_what_is_between_the_markers(tmp_path: Path) -> None:
    (tmp_path / "stages").mkdir()
    (tmp_path / "stages/x.py").write_text("import json\n")
    (tmp_path / "stages/y.py").write_text("from stages import x\n")
    marked = (
        "stages:\n  {0}:\n    cmd: python -m stages.{0}\n    deps:\n"
        "      # code\n{1}      # end of code\n      - data\n"
    )
    old = "      - stages/gone.py\n"
    before = marked.format("x", old) + marked.format("y", "")
    after = dependencies.rewrite(before, tmp_path)
    x, y = "      - stages/x.py\n", "      - stages/y.py\n"
    assert after == marked.format("x", x) + marked.format("y", x + y)
    assert dependencies.rewrite(after, tmp_path) == after
