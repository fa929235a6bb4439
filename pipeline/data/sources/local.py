"""Copy task files from a local folder, in the official layout or in the Hub's Parquet layout."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from pipeline.data.formats import layouts
from pipeline.data.sources import hub_paths
from pipeline.data.sources.base import SOURCES
from pipeline.data.sources.checksums import Pin
from pipeline.data.sources.collected import Collected, Layout
from pipeline.errors import DataError
from pipeline.params.sections import Params
from pipeline.tasks import GLUE, Task

CUSTOM_SPLITS = ("train", "dev", "test")
_AX_TABLES = (
    "diagnostic/diagnostic.tsv",
    "AX/diagnostic.tsv",
    "AX/AX.tsv",
    "AX/test.tsv",
    "AX.tsv",
    "MNLI/diagnostic.tsv",
)


@SOURCES.register("local")
def collect_from_folder(
    task: Task, params: Params, folder: Path, *, pins: Mapping[str, Pin], downloads: Path
) -> Collected:
    """Copy one task's files from `data.folder`.

    Raises:
        DataError: there is no such folder, or it holds none of the tasks in params.yaml.
    """
    root = Path(params.data.folder)
    collected = collect(task, root, folder)
    if not collected.origins:
        require_any([name for name in params.tasks if name in GLUE], root)
    return collected


def collect(task: Task, root: Path, folder: Path) -> Collected:
    """Copy one task's files from `root` to `folder`, byte for byte.

    Args:
        task: one of GLUE's tasks.
        root: folder with CoLA, SST-2 and the others, or with the Hub's configs.
        folder: where the copies go, under flat names.

    Returns:
        The files; none if `root` does not have the task.

    Raises:
        DataError: `root` is not a folder.
    """
    _require_folder(root)
    layout, splits = _find(task, root)
    files = {name: path for paths in splits.values() for name, path in paths.items()}
    return _copy(
        files, root, folder, layout, task.licence, tuple(s for s in task.rows if not splits.get(s))
    )


def collect_custom(task: str, root: Path, folder: Path) -> Collected:
    """Copy the files of a custom task, `<root>/<task>/<split>.tsv`.

    Raises:
        DataError: there is no such file.
    """
    paths = {split: root / task / f"{split}.tsv" for split in CUSTOM_SPLITS}
    files = {path.name: path for path in paths.values() if path.is_file()}
    if not files:
        raise DataError(
            f"no files of your task {task}",
            where=root / task,
            fix=f"put train.tsv, dev.tsv and test.tsv there, set data.folder, or take "
            f"tasks.{task} out of params.yaml",
        )
    missing = tuple(split for split, path in paths.items() if path.name not in files)
    return _copy(files, root, folder, "custom", "your own files", missing)


def require_any(tasks: Iterable[str], root: Path) -> None:
    """Refuse a folder that has none of the tasks: it is not a GLUE folder.

    Raises:
        DataError: the folder has none of these tasks.
    """
    titles = [GLUE[name].title for name in tasks]
    if any(any(_find(GLUE[name], root)[1].values()) for name in tasks):
        return
    names = sorted(path.name for path in root.iterdir())
    raise DataError(
        f"the folder holds none of the tasks in params.yaml ({', '.join(titles)})",
        seen=", ".join(names[:12]) + (", ..." if len(names) > 12 else "") if names else "no files",
        where=root,
        fix="set data.folder to the folder that holds RTE/train.tsv and the like, or "
        "rte/train-00000-of-00001.parquet and the like",
    )


def _require_folder(root: Path) -> None:
    if not root.is_dir():
        raise DataError(
            "no such folder" if not root.exists() else "not a folder",
            where=root,
            fix="set data.folder to the folder of your GLUE files, or take another data.source",
        )


def _find(task: Task, root: Path) -> tuple[Layout, dict[str, dict[str, Path]]]:
    """The layout of a task's files in the folder, and their paths by split and flat name."""
    tables = {split: _tables(task, split, root) for split in task.rows}
    if task.name == "mrpc" and not tables["train"]:
        msr = {split: _msr(split, root / task.title) for split in task.rows}
        if msr["train"]:
            return "msr", msr
    parquet = {split: _parquet(task, split, root) for split in task.rows}
    return ("tsv", tables) if _size(tables) >= _size(parquet) else ("parquet", parquet)


def _size(splits: Mapping[str, Mapping[str, Path]]) -> int:
    """Number of splits with files; the diagnostic set only breaks a tie."""
    return sum(bool(files) * (1 if split == layouts.AX else 2) for split, files in splits.items())


def _tables(task: Task, split: str, root: Path) -> dict[str, Path]:
    name = layouts.tsv_name(split)
    paths = [root / task.title / name, root / task.name / name]
    if split == layouts.AX:
        paths = [root / table for table in _AX_TABLES]
    path = next((path for path in paths if path.is_file()), None)
    return {} if path is None else {name: path}


def _msr(split: str, folder: Path) -> dict[str, Path]:
    files = {name: folder / name for name in layouts.MSR_FILES[split]}
    return files if all(path.is_file() for path in files.values()) else {}


def _parquet(task: Task, split: str, root: Path) -> dict[str, Path]:
    path = root / hub_paths.hub_path(task.name, split)
    return {layouts.hub_name(split): path} if path.is_file() else {}


def _copy(
    files: Mapping[str, Path],
    root: Path,
    folder: Path,
    layout: Layout,
    licence: str,
    missing: tuple[str, ...],
) -> Collected:
    for name, path in files.items():
        shutil.copyfile(path, folder / name)
    origins = {name: path.relative_to(root).as_posix() for name, path in files.items()}
    return Collected("local", layout, licence, origins, missing)
