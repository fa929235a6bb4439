"""Write the results over seeds: data/seeds, derived from the experiments at any time."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence

from pipeline import paths
from pipeline.errors import DataError
from pipeline.replication import experiments, figures, table
from pipeline.replication.settings import Run, Setting
from pipeline.runtime import artifacts

FOLDER = paths.DATA / "seeds"
"""No stage's output, and not in Git."""


def write(settings: Sequence[Setting], runs: Sequence[Run]) -> str:
    """Write the table and all figures of the finished runs.

    Returns:
        The table, as Markdown.

    Raises:
        DataError: none is finished with these parameters, or one's predictions are gone.
    """
    folders = experiments.fetch(runs)
    if not folders:
        again = shlex.join(word for word in sys.argv[1:] if word != "--show")
        raise DataError(
            "no run with these parameters is finished",
            seen=", ".join(run.name for run in runs),
            fix=f"mtdnnkd seeds {again}",
        )
    gathered = {one.name: figures.gather(one, folders) for one in settings if one.name in folders}
    for name, one in gathered.items():
        finished = [run.name for run in runs if run.setting == name and run.seed in folders[name]]
        one["commits"] = experiments.commits(finished)
    left_out = [run.name for run in runs if run.seed not in folders.get(run.setting, {})]
    whole = table.text(gathered, left_out)
    with artifacts.new_folder(FOLDER) as folder:
        (folder / "results.md").write_text(f"{whole}\n", encoding="utf-8")
        (folder / "figures.json").write_text(artifacts.dump_json(gathered), encoding="utf-8")
    return whole
