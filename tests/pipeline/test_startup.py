"""A stage's torch is imported without its rarest parts, and nothing is missing afterwards.

Run with: python -m pytest tests/pipeline/test_startup.py
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from pipeline import startup
from tests import alone

START = "import sys, stages\n"
LATER = "print([n for n in ('torch.export', 'torch._meta_registrations') if n in sys.modules])"


PROGRAMS = {
    "left for later": (f"import torch; {LATER}", "[]"),
    "looked for before": (
        f"import importlib.util as u; assert u.find_spec('torch'); import torch; {LATER}",
        "[]",
    ),
    "imported in passing": (f"import torch.nn.functional; {LATER}", "[]"),
    "prepared twice": (
        f"from pipeline import startup; startup.prepare(); import torch; {LATER};"
        "print(sum(type(one).__module__ == 'pipeline.startup' for one in sys.meta_path))",
        "[]\n1",
    ),
    "an attribute": ("import torch; print(torch.export.Dim.__name__)", "Dim"),
    "an import": ("import torch; import torch.export as e; print(e.Dim.__name__)", "Dim"),
    "a part of the package": (
        "import torch; from torch import _meta_registrations as m; print(m.__name__)",
        "torch._meta_registrations",
    ),
    "torch's own name of its file": (
        "import torch, inspect; print('def compile(' in inspect.getsource(torch.compile))",
        "True",
    ),
}


@pytest.mark.parametrize(("code", "expected"), PROGRAMS.values(), ids=PROGRAMS)
def test_parts_are_imported_when_asked_for_and_not_before(code: str, expected: str) -> None:
    assert alone.printed(START + code) == expected


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest):
    """A package of the code given, executed as torch is, with parts that count their imports."""
    folder = tmp_path / "fake"
    folder.mkdir()
    (folder / "__init__.py").write_text(request.param)
    (folder / "export.py").write_text("Dim = 3\n")
    (folder / "_meta_registrations.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(startup, "_TORCH", "fake")
    monkeypatch.setattr(sys, "meta_path", [startup._Finder(), *sys.meta_path])
    yield lambda: importlib.import_module("fake")
    for name in [name for name in sys.modules if name.partition(".")[0] == "fake"]:
        del sys.modules[name]


PARTS = "from fake import export, _meta_registrations\n"


@pytest.mark.parametrize("package", [PARTS + "found = export.Dim\n"], indirect=True)
def test_a_part_that_is_used_during_the_import_is_imported(package) -> None:
    found = package()
    assert found.found == found.export.Dim == 3


@pytest.mark.parametrize("package", [PARTS], indirect=True)
def test_without_a_list_of_lazy_parts_all_are_imported(package) -> None:
    found = package()
    assert found.export.Dim == 3
    assert "fake._meta_registrations" in sys.modules


@pytest.mark.parametrize("package", [PARTS + "_lazy_modules = {'onnx'}\n"], indirect=True)
def test_parts_are_added_to_the_list(package) -> None:
    found = package()
    assert found._lazy_modules == {"onnx", "export", "_meta_registrations"}
    assert not {"export", "_meta_registrations"} & vars(found).keys()
    assert "fake.export" not in sys.modules
