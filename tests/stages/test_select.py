"""The select stage: what it prints, without candidates, and that it needs no heavy library.

Run with: python -m pytest tests/stages/test_select.py
"""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML
from typer.testing import CliRunner

from pipeline import paths
from pipeline.model import saved_model
from pipeline.runtime import artifacts
from stages import select

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def set_params(*candidates):
    yaml = YAML()
    params = yaml.load((ROOT / "profiles" / "sample.yaml").read_text(encoding="utf-8"))
    params["refinement"]["candidates"] = {name: {"seed": at} for at, name in enumerate(candidates)}
    params["selection"] = {"top": 1, "tasks": ["rte"]}
    with Path("params.yaml").open("w", encoding="utf-8") as file:
        yaml.dump(params, file)


def put(name, accuracy):
    folder = paths.refined(name)
    (folder / saved_model.ENCODER).mkdir(parents=True)
    (folder / saved_model.ENCODER / "model.safetensors").write_text(name)
    (folder / saved_model.HEADS).write_text(name)
    dev = {"rte": {"dev": {"accuracy": accuracy}}}
    weights = saved_model.weights_sha256(folder)
    manifest = {"weights_sha256": weights, "encoder": {"source": "random"}, "dev": dev}
    artifacts.write_json(folder / saved_model.MANIFEST, manifest)


def run():
    return CliRunner().invoke(select.app, [], catch_exceptions=False).stdout


def test_it_names_the_candidates_best_first():
    set_params("c1", "c2")
    put("c1", 0.5)
    put("c2", 0.62504)
    assert run() == "1. c2: 62.50, selected\n2. c1: 50.00\n"
    assert (paths.selected(1) / "encoder" / "model.safetensors").read_text() == "c2"
    assert paths.SELECTION.exists()


def test_without_candidates_it_writes_an_empty_selection():
    set_params()
    assert "nothing to select" in run()
    assert artifacts.read_json(paths.SELECTED / "selected.json") == {}
    assert paths.SELECTION.exists()
