"""What counts as a module's code: its imports' syntax and the data beside them, nothing else.

Run with: python -m pytest tests/pipeline/runtime/test_code_digest.py
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline import stage_registry
from pipeline.runtime import code_digest
from pipeline.runtime.code_digest import Code

ROOT = Path(__file__).resolve().parents[3]

IMPORTS = {
    "plain import": ({"a": "import pipeline.b", "b": ""}, {"a", "b"}),
    "name of a module": ({"a": "from pipeline import b", "b": ""}, {"a", "b"}),
    "name in a module": ({"a": "from pipeline.b import f", "b": ""}, {"a", "b"}),
    "inside a function": ({"a": "def f():\n    from pipeline import b", "b": ""}, {"a", "b"}),
    "relative": ({"a": "from . import b", "b": ""}, {"a", "b"}),
    "relative name": ({"a": "from .b import f", "b": ""}, {"a", "b"}),
    "through another": ({"a": "import pipeline.b", "b": "import pipeline.c", "c": ""}, set("abc")),
    "in a circle": ({"a": "import pipeline.b", "b": "import pipeline.a"}, {"a", "b"}),
    "not imported": ({"a": "import json", "b": ""}, {"a"}),
    "for types": (
        {"a": "import typing\nif typing.TYPE_CHECKING:\n    from pipeline import b", "b": ""},
        {"a"},
    ),
    "else than for types": (
        {"a": "if TYPE_CHECKING:\n    import pipeline.b\nelse:\n    import pipeline.c"}
        | {"b": "", "c": ""},
        {"a", "c"},
    ),
    "a package's own imports": (
        {"a": "from pipeline import p", "p/__init__": "from . import q", "p/q": ""},
        {"a", "p/__init__", "p/q"},
    ),
    "a module's packages": (
        {"a": "import pipeline.p.q", "p/__init__": "import pipeline.b", "p/q": "", "b": ""},
        {"a", "b", "p/__init__", "p/q"},
    ),
    "found by kind": (
        {
            "a": "from pipeline.p import base",
            "p/__init__": "",
            "p/base": "from pipeline.runtime.discovery import Registry",
            "p/kind": "import pipeline.b",
            "b": "",
            "c": "",
        },
        {"a", "b", "p/__init__", "p/base", "p/kind"},
    ),
    "two folders up": (
        {"a": "import pipeline.p.q", "p/__init__": "", "p/q": "from .. import b", "b": ""},
        {"a", "b", "p/__init__", "p/q"},
    ),
}


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in {"pipeline/__init__.py": "", **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


@pytest.mark.parametrize(("files", "expected"), IMPORTS.values(), ids=IMPORTS)
def test_closure(tmp_path: Path, files: dict[str, str], expected: set[str]) -> None:
    write(tmp_path, {f"pipeline/{name}.py": text for name, text in files.items()})
    names = {*expected, "__init__"}
    closure = Code(tmp_path).closure("pipeline.a")
    assert closure == sorted(f"pipeline/{name}.py" for name in names)


BEFORE = '"""A."""\nfrom typing import TYPE_CHECKING\nx = 1  # one\ndef f():\n    """F."""\n'
AFTER = {
    "a comment": (BEFORE.replace("# one", "# the first"), True),
    "docstrings": (BEFORE.replace("A.", "Other.").replace("F.", "G."), True),
    "no docstring of a module": (BEFORE.partition("\n")[2], True),
    "layout": (BEFORE.replace("x = 1", "\n\nx = (1)"), True),
    "Windows line ends": (BEFORE.replace("\n", "\r\n"), True),
    "an import for types": (f"{BEFORE}if TYPE_CHECKING:\n    import json\n", True),
    "a value": (BEFORE.replace("x = 1", "x = 2"), False),
    "a type of value": (BEFORE.replace("x = 1", "x = '1'"), False),
    "a name": (BEFORE.replace("x =", "y ="), False),
    "a text that is used": (f"{BEFORE}y = 'A.'\n", False),
    "a statement in a function": (f"{BEFORE}    return x\n", False),
}


@pytest.mark.parametrize(("text", "same"), AFTER.values(), ids=AFTER)
def test_only_what_runs_counts(tmp_path: Path, text: str, same: bool) -> None:
    module = tmp_path / "pipeline" / "b.py"
    write(tmp_path, {"pipeline/a.py": "import pipeline.b", "pipeline/b.py": BEFORE})
    before = Code(tmp_path).digest("pipeline.a")
    module.write_bytes(text.encode())
    assert (Code(tmp_path).digest("pipeline.a") == before) is same


def test_siblings_are_not_swapped(tmp_path: Path) -> None:
    """Two modules that trade their contents, and a field that moves a level up, are other code."""
    texts = ("f(a, [b])", "f(a, [], b)", "f([a, b])", "f([a], b)", "f(x=[a], y=b)")
    digests = set()
    for number, text in enumerate(texts):
        write(tmp_path / str(number), {"pipeline/a.py": text})
        digests.add(Code(tmp_path / str(number)).digest("pipeline.a"))
    assert len(digests) == len(texts)


def test_a_deleted_module_is_other_code(tmp_path: Path) -> None:
    write(tmp_path, {"pipeline/a.py": "import pipeline.b", "pipeline/b.py": ""})
    before = Code(tmp_path).digest("pipeline.a")
    (tmp_path / "pipeline/b.py").unlink()
    assert Code(tmp_path).digest("pipeline.a") != before


def test_data_beside_an_imported_module_counts(tmp_path: Path) -> None:
    files = ("pipeline/a.py", "pipeline/p/__init__.py", "pipeline/p/words.txt", "pipeline/p/.hide")
    write(tmp_path, dict.fromkeys(files, ""))
    assert "pipeline/p/words.txt" not in Code(tmp_path).closure("pipeline.a")
    closure = Code(tmp_path).closure("pipeline.p")
    assert "pipeline/p/words.txt" in closure
    assert "pipeline/p/.hide" not in closure
    before = Code(tmp_path).digest("pipeline.p")
    (tmp_path / "pipeline/p/words.txt").write_text("word")
    assert Code(tmp_path).digest("pipeline.p") != before


def test_a_row_of_a_new_stage_is_no_other_code(tmp_path: Path) -> None:
    registry = "pipeline/stage_registry.py"
    write(tmp_path, {"pipeline/a.py": "from pipeline import stage_registry", registry: "x = 1"})
    before = Code(tmp_path).digest("pipeline.a")
    (tmp_path / registry).write_text("x = 2")
    assert Code(tmp_path).digest("pipeline.a") == before


@pytest.mark.medium
@pytest.mark.parametrize("stage", stage_registry.STAGES)
def test_what_python_loads_is_in_the_closure(stage: str) -> None:
    code = (
        f"import stages.{stage}, sys; "
        "print(*(m.__file__ for n, m in sys.modules.items() "
        "if n.partition('.')[0] in ('pipeline', 'stages')), sep='\\n')"
    )
    process = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = {Path(line).relative_to(ROOT).as_posix() for line in process.stdout.splitlines()}
    assert f"stages/{stage}.py" in loaded
    assert loaded <= set(Code().closure(f"stages.{stage}"))


def test_resuming_looks_at_all_that_trains_and_at_nothing_else() -> None:
    """A change of a report does not spoil a checkpoint; one of the loop, a head, a model does."""
    closure = Code().closure("pipeline.training.finetune")
    for module in ("training/step", "model/multitask", "model/heads/ranking", "model/fast/dropout"):
        assert f"pipeline/{module}.py" in closure
    apart = ("evaluation", "planning", "deployment", "data/sample", "data/sources")
    assert [file for file in closure if file.rpartition("/")[0].endswith(apart)] == []
    assert code_digest.digest("pipeline.training.finetune") != code_digest.digest("stages.plan")
