"""Settings that are run with several seeds, and the params.yaml of each of their runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from pipeline.errors import ParamsError, PipelineError
from pipeline.params import automatic, file, overrides, yaml_text
from pipeline.params.sections import Params

Of = Literal["student", "all"]
OF: tuple[Of, ...] = get_args(Of)
BASE = "base"
"""The setting of params.yaml as it is."""
STEP = 1_000_000
"""Distance between the derived seeds of one model in runs with neighbouring seeds."""
LARGEST = 2**32 - 1  # seed that numpy and torch both accept
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


@dataclass(frozen=True)
class Setting:
    """Changes to params.yaml that are run with several seeds.

    Attributes:
        name: names its experiments, see `experiment`.
        title: its title in a published table; "" for none.
        changes: overrides as `dvc exp run -S` takes them, in this order.
        group: published table that it belongs to; "" for none.
        against: name of the setting that its student is compared with; "" for none.
    """

    name: str
    title: str = ""
    changes: tuple[str, ...] = ()
    group: str = ""
    against: str = ""


@dataclass(frozen=True)
class Run:
    """One setting with one seed.

    Attributes:
        setting: name of the setting.
        seed: the seed.
        name: name of the experiment.
        text: its whole params.yaml.
    """

    setting: str
    seed: int
    name: str
    text: str


def parse(text: str) -> Setting:
    """Read `name=key=value[,key=value]`; commas in brackets belong to a value.

    Raises:
        PipelineError: it has no name, or no change.
    """
    name, _, rest = text.partition("=")
    changes = tuple(_parts(rest))
    if not _NAME.fullmatch(name) or name == BASE or not all(changes):
        raise PipelineError(
            "not a setting with a name",
            seen=text,
            where="--setting",
            fix="write NAME=KEY=VALUE[,KEY=VALUE], such as warm=distillation.temperature=2.0; "
            f"a name has letters, digits and _, and is not {BASE}",
        )
    return Setting(name, changes=changes, against=BASE)


def distinct(settings: Sequence[Setting]) -> list[Setting]:
    """The settings, once it is sure that no two have one name.

    Raises:
        PipelineError: two of them have.
    """
    names = [setting.name for setting in settings]
    if twice := [name for name in names if names.count(name) > 1]:
        raise PipelineError(
            "two settings of one name", seen=twice[0], where="--setting", fix="rename one of them"
        )
    return list(settings)


def experiment(setting: str, seed: int, of: Of) -> str:
    """Name of an experiment: `base-1`, or `base-all-1` where all models have seeds of their own."""
    return f"{setting}-{seed}" if of == "student" else f"{setting}-{of}-{seed}"


def runs(base: str, settings: Sequence[Setting], seeds: Sequence[int], of: Of) -> list[Run]:
    """All settings with the first seed, then with the next.

    Args:
        base: text of a params.yaml.
        settings: changes to it.
        seeds: a seed for each run of a setting.
        of: what is seeded, see `seeded`.

    Raises:
        ParamsError: params.yaml or a change cannot be used.
        PipelineError: a setting changes a seed itself, or no seed can be derived.
    """
    file.check(yaml_text.parse(base, "params.yaml"))
    return [
        Run(
            setting.name,
            seed,
            experiment(setting.name, seed, of),
            _text(base, setting, seed, of),
        )
        for seed in seeds
        for setting in settings
    ]


def seeded(params: Params, seed: int, of: Of) -> dict[str, int]:
    """Seeds of one run, by their key in params.yaml.

    `student.seed` is the seed itself. With `all`, `tuning.seed` is too, and each candidate and
    each member has `STEP` times the seed plus its own seed in params.yaml: members differ within a
    run as they did before, and each of them from run to run.

    Raises:
        PipelineError: a derived seed would be too large, or that of another run.
    """
    seeds = {"student.seed": seed}
    if of == "all":
        seeds["tuning.seed"] = seed
        candidates, members = params.refinement.candidates, params.teachers.members
        own = {f"refinement.candidates.{name}.seed": one.seed for name, one in candidates.items()}
        own |= {f"teachers.members.{name}.seed": one.seed for name, one in members.items()}
        seeds |= {key: _derived(key, value, seed) for key, value in own.items()}
    return seeds


def _derived(key: str, own: int, seed: int) -> int:
    whole = STEP * seed + own
    if own >= STEP or whole > LARGEST:
        raise PipelineError(
            "no seed can be derived",
            seen=f"{STEP} * {seed} + {own}",
            where=f"{key} in params.yaml",
            fix=f"take seeds up to {LARGEST // STEP - 1} and, in params.yaml, below {STEP}; "
            "or --of student",
        )
    return whole


def _text(base: str, setting: Setting, seed: int, of: Of) -> str:
    where = f"setting {setting.name}"
    values = yaml_text.parse_kept(base, "params.yaml")
    try:
        for change in setting.changes:
            overrides.change(values, change)
    except ParamsError as error:
        raise ParamsError(error.what, seen=error.seen, where=where, fix=error.fix) from None
    params = file.check(yaml_text.parse(yaml_text.dump_kept(values), where), where)
    seeds = seeded(params, seed, of)
    _refuse_seeds(setting, seeds)
    for key, value in seeds.items():
        overrides.change(values, f"{key}={value}")
    return automatic.replaced(yaml_text.dump_kept(values), where)[0]


def _refuse_seeds(setting: Setting, seeds: dict[str, int]) -> None:
    """Refuse a change that the run's own seed would undo."""
    for change in setting.changes:
        key = change.lstrip("+").partition("=")[0]
        if key in seeds:
            raise PipelineError(
                "a setting changes a seed that each of its runs sets",
                seen=change,
                where=f"setting {setting.name}",
                fix="leave it out",
            )


def _parts(text: str) -> Iterator[str]:
    """Parts between the commas that stand outside of brackets."""
    depth, start = 0, 0
    for at, letter in enumerate(text):
        depth += (letter in "[{") - (letter in "]}")
        if letter == "," and depth == 0:
            yield text[start:at].strip()
            start = at + 1
    yield text[start:].strip()
