"""Write docs/reference/cli.md: every command of `mtdnnkd` with its options and an example."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer
from typer.cli import get_docs_for_click

from mtdnnkd import cli, commands
from pipeline.runtime import artifacts
from stages import _cli

app = _cli.application()

PAGE = Path("docs/reference/cli.md")
_INTRODUCTION = """\
# Command line

`mtdnnkd` runs every stage and every tool, from the project's folder. In a checkout that is not
installed, `python -m mtdnnkd` does the same; `python -m stages.NAME` is what DVC calls. A user's
mistake ends with exit code 2 and one message, Ctrl-C with 130. `MTDNNKD_QUIET=1` is `--quiet` for
every process. This page is written by `make reference`.
"""


@app.command()
def main() -> None:
    """Rewrite the page.

    Example: python -m scripts.cli_reference
    """
    text = page()
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    with artifacts.new_file(PAGE) as staging:
        staging.write_text(text, encoding="utf-8")
    print(PAGE)


def page() -> str:
    """The page's Markdown: the options of `mtdnnkd`, then the commands of each panel."""
    group: Any = typer.main.get_command(cli.app)
    group.commands = {}  # they follow in full
    parts = [_INTRODUCTION, _markdown(group, "mtdnnkd", depth=1)]
    for panel, names in commands.PANELS.items():
        parts.append(f"## {panel}\n")
        parts += [_markdown(commands.load(name), f"mtdnnkd {name}", depth=2) for name in names]
    return "\n".join(parts)


def _markdown(
    command: typer.core.TyperCommand | typer.core.TyperGroup, name: str, depth: int
) -> str:
    context = typer.Context(command, info_name=name)
    return get_docs_for_click(obj=command, ctx=context, indent=depth, name=name).rstrip() + "\n"


if __name__ == "__main__":
    _cli.run(app)
