"""Compose a profile with overrides, check it, and write it to params.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline import paths
from pipeline.errors import ParamsError
from pipeline.params import automatic, file, yaml_text
from pipeline.params import overrides as overlay
from pipeline.params.checks import messages
from pipeline.runtime import artifacts

BASE = "sample"
"""The profile that is a whole params file; all others override parts of it."""
_SCHEMA = "# yaml-language-server: $schema="
"""Before the path of the schema, which editors resolve from the folder of the file itself."""


class Absent:
    """Stands for the value of a missing key."""

    def __repr__(self) -> str:
        return "absent"


@dataclass(frozen=True)
class Change:
    """One value that differs between two settings.

    Attributes:
        path: its YAML path, such as `student.epochs`.
        old: value in the first settings, or `Absent()`.
        new: value in the second settings, or `Absent()`.
    """

    path: str
    old: Any
    new: Any

    def __str__(self) -> str:
        sides = [
            "(absent)" if isinstance(side, Absent) else yaml_text.shown(side)
            for side in (self.old, self.new)
        ]
        return f"{self.path}: {sides[0]} -> {sides[1]}"


def names(folder: Path = paths.PROFILES) -> list[str]:
    """Names of all profiles, the base first."""
    stems = sorted(path.stem for path in folder.glob("*.yaml"))
    return sorted(stems, key=lambda name: name != BASE)


def summary(name: str, folder: Path = paths.PROFILES) -> str:
    """The first sentence of a profile's first comment."""
    lines = _header(file.read_text(_file(name, folder))).splitlines()
    text = " ".join(line.lstrip("# ") for line in lines)
    return text.partition(". ")[0].rstrip(".")


def text(name: str, overrides: Sequence[str] = (), folder: Path = paths.PROFILES) -> str:
    """The whole params.yaml of a profile, comments included, checked.

    Args:
        name: the profile.
        overrides: `key=value` and `~key`, applied in this order.
        folder: folder of the profiles.

    Raises:
        ParamsError: no such profile, not YAML, or the result cannot be used.
    """
    path = _file(name, folder)
    source = file.read_text(path)
    if name != BASE or overrides:
        source = _compose(path, source, overrides, folder)
    source = source.replace(f"{_SCHEMA}../", _SCHEMA)  # params.yaml lies one folder higher
    where = " ".join([str(path), *(f"--set {override}" for override in overrides)])
    file.check(yaml_text.parse(source, where), where=where)
    return source


def text_here(name: str, overrides: Sequence[str] = (), folder: Path = paths.PROFILES) -> str:
    """As `text`, with this machine's values for every `auto` that decides the bytes of results."""
    return automatic.replaced(text(name, overrides, folder), folder / f"{name}.yaml")[0]


def values(name: str, overrides: Sequence[str] = (), folder: Path = paths.PROFILES) -> Any:
    """The settings of a profile on this machine as plain mappings; raises what `text` raises."""
    return yaml_text.parse(text_here(name, overrides, folder), name)


def apply(
    name: str,
    overrides: Sequence[str] = (),
    folder: Path = paths.PROFILES,
    target: Path = paths.PARAMS,
) -> list[Change]:
    """Write a profile to params.yaml, whole and checked.

    A params.yaml that has the same values already is left as it is.

    Returns:
        The values that were replaced.

    Raises:
        ParamsError: as `text`, the folder of task files is missing, or this machine lacks the
            device; params.yaml is untouched then.
    """
    new = text_here(name, overrides, folder)
    settings = yaml_text.parse(new, name)
    _require_files(Path(settings["data"]["folder"]))
    replaced = list(changes(current(target) or {}, settings))
    if replaced:
        with artifacts.new_file(target) as staging:
            staging.write_text(new, encoding="utf-8")
    return replaced


def current(target: Path = paths.PARAMS) -> dict[str, Any] | None:
    """Unchecked values of params.yaml; None if it is missing or not YAML."""
    try:
        return file.read_yaml(target)
    except ParamsError:
        return None


def changes(old: Any, new: Any, at: tuple[str, ...] = ()) -> Iterator[Change]:
    """Values that differ, in the order of the new settings, then the deleted ones."""
    if not (isinstance(old, Mapping) and isinstance(new, Mapping)):
        if old != new or isinstance(old, bool) != isinstance(new, bool):
            yield Change(yaml_text.dotted(at), old, new)
        return
    for key in [*new, *(key for key in old if key not in new)]:
        yield from changes(old.get(key, Absent()), new.get(key, Absent()), (*at, key))


def _require_files(folder: Path) -> None:
    """Refuse a missing folder of task files: DVC runs no download stage without it."""
    if not folder.is_dir():
        raise ParamsError(
            "not a folder" if folder.exists() else "no such folder",
            seen=folder,
            where="data.folder",
            fix="name the folder of your GLUE files: DATA=FOLDER with make, or "
            "--set data.folder=FOLDER",
        )


def _compose(path: Path, source: str, overrides: Sequence[str], folder: Path) -> str:
    base = folder / f"{BASE}.yaml"
    merged = _sections(file.read_text(base), base)
    if path != base:
        overlay.merge(merged, _sections(source, path))
    for override in overrides:
        overlay.change(merged, override)
    body = yaml_text.dump_kept(merged)
    return _header(source) + "\n" + body.removeprefix(_header(body)).lstrip("\n")


def _sections(source: str, path: Path) -> MutableMapping[str, Any]:
    sections = yaml_text.parse_kept(source, path)
    if not isinstance(sections, MutableMapping):
        raise ParamsError("not a mapping of sections", seen=yaml_text.shown(sections), where=path)
    return sections


def _header(source: str) -> str:
    """The comment lines at the start of a file."""
    lines = source.splitlines(keepends=True)
    count = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return "".join(lines[:count])


def _file(name: str, folder: Path) -> Path:
    known = names(folder)
    if name not in known:
        raise ParamsError(
            f"no such profile{messages.near(name, known)}",
            seen=name,
            where=folder,
            fix=f"choose one of {', '.join(known)}" if known else "run from the project's root",
        )
    return folder / f"{name}.yaml"
