"""The evaluate stage and the printing of its results, as a user runs them."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from pipeline import paths
from pipeline.evaluation.report import data_notes, terminal
from pipeline.runtime import artifacts
from stages import evaluate, results
from tests import command_line
from tests.pipeline.evaluation.conftest import MADE, write_made

ROOT = Path(__file__).resolve().parents[2]
README = "<!-- results:sample:begin -->\nold\n<!-- results:sample:end -->\n"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run() -> Run:
    """`run(stage, *words)` runs a stage in the current folder."""
    return command_line.run


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Four evaluated tasks of generated rows and one that the source lacks, with params.yaml."""
    monkeypatch.chdir(tmp_path)
    for name, task in MADE.items():
        write_made(name, task, source="sample")
    artifacts.write_json(paths.prepared("wnli") / "missing.json", {"task": "wnli"})
    artifacts.write_json(paths.baseline("steps") / "missing.json", {"note": "as many steps"})
    artifacts.write_json(paths.SELECTION, {"candidates": {}})
    yaml = YAML()
    params = yaml.load((ROOT / "profiles" / "sample.yaml").read_text(encoding="utf-8"))
    params["tasks"] = {name: params["tasks"][name] for name in (*MADE, "wnli")}
    params["teachers"]["tasks"] = {"rte": {}, "wnli": {}}
    yaml.dump(params, tmp_path / "params.yaml")
    return tmp_path


def test_declared_outs_are_written_and_nothing_else(project: Path, run: Run) -> None:
    readme = project / "README.md"
    readme.write_text(README)
    process = run("evaluate")
    assert (process.returncode, process.stderr) == (0, "")
    assert sorted(path.name for path in paths.EVALUATION.iterdir()) == sorted(
        ["metrics.json", "results.md", *(f"{name}.parquet" for name in MADE)]
    )
    reports = sorted(path.name for path in paths.REPORTS.rglob("*") if path.is_file())
    assert reports == ["scores.csv", "summary.json"]
    assert readme.read_text() == README
    metrics = artifacts.read_json(paths.METRICS)
    assert metrics["tasks"]["rte"]["student"]["accuracy"] == 75.0
    assert metrics["gain_kept"] == 0.5
    assert list(metrics["missing"]) == ["wnli"]
    assert paths.RESULTS.read_text().startswith(f"**{data_notes.SAMPLE_HEADLINE}**\n")


def test_tuned_students_and_how_sure_figures_are(project: Path) -> None:
    params = project / "params.yaml"
    yaml = YAML()
    settings = yaml.load(params.read_text(encoding="utf-8"))
    settings["tuning"]["tasks"] = {"rte": {}, "wnli": {}}
    yaml.dump(settings, params)
    write_made("rte", replace(MADE["rte"], tuned=[0, 1, 1, 0, 1]), source="sample")
    evaluate.main()
    rte = artifacts.read_json(paths.METRICS)["tasks"]["rte"]
    assert rte["tuned"]["accuracy"] == 100.0
    assert rte["student_minus_baseline"] == {"score": 25.0, "low": -50.0, "high": 100.0}
    text = paths.RESULTS.read_text()
    assert "| Student | Tuned | Student - baseline |" in text
    assert "| RTE | 1.000 | 1.000 |" in text


def test_a_fault_leaves_earlier_results_untouched(project: Path, run: Run) -> None:
    evaluate.main()
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    (paths.STUDENT / "logits" / "stsb.parquet").unlink()
    process = run("evaluate")
    assert process.returncode == 2
    assert process.stderr.startswith("error: ")
    assert "stsb.parquet" in process.stderr
    assert "dvc repro distil" in process.stderr
    assert "Traceback" not in process.stderr
    after = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    assert after.items() <= before.items()
    assert len(after) == len(before) - 1


def test_an_unknown_parameter_is_refused_first(project: Path, run: Run) -> None:
    params = project / "params.yaml"
    params.write_text(params.read_text() + "typo: 1\n")
    process = run("evaluate")
    assert process.returncode == 2
    assert "typo: unknown key" in process.stderr
    assert not paths.METRICS.exists()


def test_training_libraries_are_not_loaded() -> None:
    program = (
        "import sys; from pipeline.evaluation.report import files; import stages.evaluate; "
        "sys.exit(','.join({'torch', 'transformers', 'sklearn'} & set(sys.modules)))"
    )
    process = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert process.stderr.strip() == ""


@pytest.mark.usefixtures("project")
def test_results_are_printed_with_where_they_lie(run: Run) -> None:
    evaluate.main()
    process = run("results")
    assert process.returncode == 0
    assert process.stdout.startswith(paths.RESULTS.read_text())
    for place in ("data/teachers/", "data/soft_labels/", "data/student", str(paths.METRICS)):
        assert f"  {place}" in process.stdout


@pytest.mark.usefixtures("project")
def test_results_fit_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate.main()
    capsys.readouterr()
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    results.main()
    text = capsys.readouterr().out
    assert "RTE                   75.0    100.0     50.0    75.0" in text
    assert "---:" not in text
    assert "**" not in text
    assert max(map(len, text.splitlines())) <= terminal.WIDTH


def test_committed_figures_are_not_shown_as_results_of_this_clone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run
) -> None:
    monkeypatch.chdir(tmp_path)
    paths.REPORTS.mkdir()
    (paths.REPORTS / "results.md").write_text("| RTE | 75.0 |\n")
    process = run("results")
    assert (process.returncode, process.stdout) == (2, "")
    assert "nothing was run here" in process.stderr
    assert "make repro; or dvc pull" in process.stderr


def test_printing_starts_quickly(tmp_path: Path) -> None:
    """In a process of its own; CPU time, as other processes may hold up the clock."""
    (tmp_path / paths.EVALUATION).mkdir(parents=True)
    (tmp_path / paths.RESULTS).write_text("none\n")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "stages.results"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.0
