"""Apply overrides to parameters: those of a profile, and `key=value` of the command line."""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping
from copy import copy
from pathlib import Path
from typing import Any

from pipeline.errors import ParamsError
from pipeline.params import yaml_text
from pipeline.params.checks import messages

Keys = tuple[str, ...]

# An overlay replaces these whole: merged, the base's tasks or members would stay.
WHOLE = {
    ("tasks",),
    ("transfer",),
    ("refinement", "candidates"),
    ("teachers", "tasks"),
    ("teachers", "members"),
    ("tuning", "tasks"),
}
# Each kind of these has keys of its own.
WHOLE_KEYS = {"encoder", "head", "heads", "sampling", "loss", "rule", "features", "early_stopping"}
FOLDER = ("data", "folder")


def merge(base: MutableMapping[str, Any], over: Mapping[str, Any], at: Keys = ()) -> None:
    """Merge the overlay `over` into `base`, in place.

    Mappings are merged key by key, everything else is replaced; so are, as a whole, those in
    `WHOLE` and every mapping with a name in `WHOLE_KEYS`. A null is a value like any other.
    """
    for key, value in over.items():
        path, old = (*at, key), base.get(key)
        whole = path in WHOLE or key in WHOLE_KEYS
        if isinstance(value, Mapping) and isinstance(old, MutableMapping) and not whole:
            merge(old, value, path)
        else:
            base[key] = value
        _keep_comment(base, over, key)


def change(values: MutableMapping[str, Any], override: str) -> None:
    """Apply one `key=value` (or `+key=value`) or `~key` of the command line, in place.

    Values are YAML. A relative `data.folder` is taken from the current folder and made absolute,
    so that `dvc exp run --temp`, which runs in a copy of the project, finds the same files.

    Raises:
        ParamsError: no `=`, a value that is not YAML, or a key that cannot be there.
    """
    if override.startswith("~"):
        _delete(values, _path(override[1:], override))
        return
    key, equals, text = override.removeprefix("++").removeprefix("+").partition("=")
    if not equals:
        raise ParamsError(
            "no `=` in it", seen=override, where="--set", fix="write key=value, or ~key to delete"
        )
    path = _path(key, override)
    value = _folder(text) if path == FOLDER else yaml_text.parse_kept(text, f"--set {override}")
    parent = _parent(values, path, override)
    merge(parent, {path[-1]: value}, path[:-1])


def _path(key: str, override: str) -> Keys:
    path = tuple(key.strip().split("."))
    if not all(path):
        raise ParamsError(
            "not a key; its parts are joined by single dots", seen=key, where=f"--set {override}"
        )
    return path


def _folder(text: str) -> str:
    """Make a folder absolute; not read as YAML, as a name may have a colon or a number sign."""
    if not text:
        raise ParamsError("an empty folder name", where="--set data.folder")
    return os.path.abspath(Path(text).expanduser())  # noqa: PTH100 - a link stays a link


def _delete(values: MutableMapping[str, Any], path: Keys) -> None:
    here: Any = values
    for depth, key in enumerate(path, start=1):
        known = here if isinstance(here, Mapping) else {}
        if key not in known:
            raise ParamsError(
                f"{'.'.join(path[:depth])}: no such key{messages.near(key, known)}",
                where=f"--set ~{'.'.join(path)}",
            )
        parent, here = here, here[key]
    del parent[path[-1]]
    if len(path) > 1 and not parent:  # the YAML library writes an emptied block as nothing
        _put_empty(values, path[:-1])


def _put_empty(values: MutableMapping[str, Any], path: Keys) -> None:
    here: Any = values
    for key in path[:-1]:
        here = here[key]
    here[path[-1]] = {}


def _parent(
    values: MutableMapping[str, Any], path: Keys, override: str
) -> MutableMapping[str, Any]:
    """The mapping of the path's last key; missing ones are made, and checked later."""
    for depth, key in enumerate(path[:-1], start=1):
        if values.get(key) is None:
            values[key] = {}
        if not isinstance(values[key], MutableMapping):
            raise ParamsError(
                f"{'.'.join(path[:depth])} is a single value and has no keys",
                seen=yaml_text.shown(values[key]),
                where=f"--set {override}",
            )
        values = values[key]
    return values


def _keep_comment(base: Any, over: Any, key: str) -> None:
    """Replace the comment at the end of the base's line by the overlay's; lines below it stay."""
    notes = [getattr(getattr(side, "ca", None), "items", {}).get(key) for side in (base, over)]
    old, new = [note[2] if note else None for note in notes]
    if new is None or not new.value.startswith("#") or not hasattr(base, "ca"):
        return
    token = copy(new)
    token.value = (
        new.value.partition("\n")[0] + "\n" + (old.value.partition("\n")[2] if old else "")
    )
    base.ca.items[key] = [None, None, token, None]
