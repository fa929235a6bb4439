"""`make plots` writes Vega into the folder of the page, which then loads nothing from a network.

Run with: python -m pytest tests/scripts/test_vega.py
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from dvc_render.html import render_html
from dvc_render.vega import VegaRenderer
from typer.testing import CliRunner

from scripts import vega

ROOT = Path(__file__).resolve().parents[2]


class Scripts(HTMLParser):
    """Collects the sources of scripts and style sheets; what is in a template is not loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.templates, self.sources = 0, []

    def handle_starttag(self, tag, attrs):
        self.templates += tag == "template"
        source = dict(attrs).get("src") or dict(attrs).get("href")
        if source and not self.templates:
            self.sources.append(source)

    def handle_endtag(self, tag):
        self.templates -= tag == "template"


@pytest.mark.medium
def test_the_page_loads_vega_from_its_own_folder_and_nothing_else(tmp_path) -> None:
    pytest.importorskip("vl_convert")
    folder = tmp_path / "dvc_plots"
    result = CliRunner().invoke(vega.app, [str(folder)])
    assert result.exit_code == 0, result.output
    points = [{"x": 1, "y": 2, "rev": "workspace"}]
    plot = VegaRenderer(points, "points", x="x", y="y")
    render_html([plot], folder / "index.html", str(ROOT / ".dvc/plots/page.html"))
    page = Scripts()
    page.feed((folder / "index.html").read_text("utf-8"))
    assert page.sources == ["vega.js"]
    bundle = (folder / "vega.js").read_text("utf-8")
    assert len(bundle) > 500_000
    assert re.search(r"window\.vegaEmbed ?=", bundle)


def test_it_is_written_once(tmp_path) -> None:
    (tmp_path / "vega.js").write_text("mine")
    assert CliRunner().invoke(vega.app, [str(tmp_path)]).exit_code == 0
    assert (tmp_path / "vega.js").read_text() == "mine"
