"""Read plain values of params.yaml that may be of any type, and write commands that change them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Values = Mapping[str, Any]


def mapping(values: Any, *keys: Any) -> Mapping[Any, Any]:
    """The mapping at a path; empty if the value is another."""
    for key in keys:
        values = values.get(key) if isinstance(values, Mapping) else None
    return values if isinstance(values, Mapping) else {}


def listed(values: Any, *keys: Any) -> list[Any]:
    """The list at a path; empty if the value is another."""
    value = mapping(values, *keys[:-1]).get(keys[-1])
    return value if isinstance(value, list) else []


def words(values: Any, *keys: Any) -> list[str]:
    """The words in the list at a path; the models report anything else in it."""
    return [name for name in listed(values, *keys) if isinstance(name, str)]


def whole(value: Any) -> int | None:
    """The value if it is a whole number, else None; Python counts true as a number."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def cap(values: Values, task: Any) -> int | None:
    """Most train rows of a task that are kept; None for all."""
    return whole(mapping(values, "tasks", task, "rows").get("train"))


def refined(values: Values) -> dict[str, int]:
    """Rank of the candidate that a member starts from, by name of the members that have one."""
    ranks = {
        name: whole(mapping(member).get("refined"))
        for name, member in mapping(values, "teachers", "members").items()
    }
    return {name: rank for name, rank in ranks.items() if rank is not None}


def run(*changes: str) -> str:
    """The command that runs with these changes: `key=value`, `++key=value` or `~key`."""
    quoted = (change.replace("'", "'\"'\"'") for change in changes)  # for a shell
    return " ".join(["dvc exp run", *(f"-S '{change}'" for change in quoted)])
