"""Replace `auto` in the text of params.yaml by this machine's values where it decides bytes.

DVC compares what params.yaml says: `auto` would be one key for the unlike results of two machines.
"""

from __future__ import annotations

from pathlib import Path

from pipeline import paths
from pipeline.params import file, yaml_text
from pipeline.runtime import artifacts, choices


def replaced(text: str, where: object) -> tuple[str, dict[str, str | int]]:
    """The text with values for `auto`, comments kept, and these values by YAML path.

    Raises:
        ParamsError: the text cannot be used, or this machine lacks the device that it names.
    """
    params = file.check(yaml_text.parse(text, where), where=where)
    values = choices.values(params.machine)
    if not values:
        return text, {}
    kept = yaml_text.parse_kept(text, where)
    for key, value in values.items():
        kept["machine"][key] = value
    return yaml_text.dump_kept(kept), {f"machine.{key}": value for key, value in values.items()}


def replace(path: Path = paths.PARAMS) -> dict[str, str | int]:
    """Replace `auto` in a params file; the values by YAML path, none if nothing had to change.

    Raises:
        ParamsError: as `replaced`, or the file is missing or cannot be read.
    """
    text, values = replaced(file.read_text(path), path)
    if values:
        with artifacts.new_file(path) as staging:
            staging.write_text(text, encoding="utf-8")
    return values
