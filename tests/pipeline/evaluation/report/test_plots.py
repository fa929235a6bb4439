"""The project's own DVC templates: what they draw is written, and the page needs no network.

Run with: python -m pytest tests/pipeline/evaluation/report/test_plots.py
"""

from __future__ import annotations

import configparser
import json
from pathlib import Path

from dvc_render.html import render_html
from dvc_render.vega import VegaRenderer

from pipeline import paths
from pipeline.evaluation.evaluate import TaskResult
from pipeline.evaluation.report import files
from pipeline.runtime import artifacts
from pipeline.training import step_log

DVC = Path(__file__).resolve().parents[4] / ".dvc"
LINES = [
    {**dict.fromkeys(step_log.COLUMNS, "1"), "task": task, "rev": "workspace", "filename": file}
    for task in ("rte", "wnli")
    for file in ("student/log.csv", "baseline/epochs/log.csv", "baseline/steps/log.csv")
]


def _losses() -> VegaRenderer:
    """The plot of losses as DVC makes it of both logs."""
    template = {"template": "losses", "template_dir": str(DVC / "plots")}
    each = [{"filename": line["filename"], "field": "loss"} for line in LINES[:3]]
    axes = {"x": "step", "y": "loss", "anchors_y_definitions": each, "title": "Loss"}
    return VegaRenderer([dict(line) for line in LINES], "losses", **template, **axes)


def test_losses_have_a_facet_a_task_and_a_colour_a_model() -> None:
    drawn = _losses().get_filled_template()
    axes = drawn["spec"]["encoding"]
    model, mean = drawn["transform"]
    assert drawn["data"]["values"] == LINES
    assert "<DVC" not in json.dumps(drawn)
    assert drawn["facet"]["field"] == "task"
    assert (axes["color"]["field"], axes["y"]["field"]) == (model["as"], mean["window"][0]["as"])
    assert mean["window"][0]["field"] == "loss"
    assert axes["x"]["field"] == "step"
    assert len(set(axes["color"]["scale"]["range"])) == 3
    # The model is the file's folder: the names of the logs that dvc.yaml draws.
    assert model["calculate"] == "replace(datum.filename, '/log.csv', '')"
    models = (paths.STUDENT, paths.baseline("epochs"), paths.baseline("steps"))
    folders = [str(folder.relative_to(paths.DATA)) for folder in models]
    assert axes["color"]["scale"]["domain"] == folders
    pipeline = (DVC.parent / "dvc.yaml").read_text("utf-8")
    for folder in folders:
        assert f"data/{folder}/log.csv: loss" in pipeline


def test_scores_read_columns_that_are_written(results: list[TaskResult]) -> None:
    files.write(results, {})
    columns = paths.SCORES.read_text().splitlines()[0].split(",")
    template = artifacts.read_json(DVC / "plots" / "systems.json")
    axes = template["spec"]["encoding"]
    drawn = [template["facet"]["row"]["field"], axes["y"]["field"], axes["x"]["field"]]
    assert drawn == ["task", "system", "value"]
    assert {*drawn, "metric"} == set(columns)
    assert template["transform"] == [{"filter": "datum.metric === 'score'"}]
    assert ",student,score," in paths.SCORES.read_text()


def test_the_page_asks_the_network_only_without_a_file_of_its_own(tmp_path: Path) -> None:
    config = configparser.ConfigParser()
    config.read_string((DVC / "config").read_text("utf-8").replace("    ", ""))
    page = tmp_path / "index.html"
    render_html([_losses()], page, str(DVC / config["plots"]["html_template"]))
    text = page.read_text("utf-8")
    before, inside = text.split('<template id="network">')
    assert '<script src="vega.js"></script>' in before
    assert "https://" not in before
    network, after = inside.split("</template>")
    assert "https://" in network
    assert "if (!window.vegaEmbed) document.write" in after
    assert "<script src" not in after
    assert "vegaEmbed('#losses'" in after
