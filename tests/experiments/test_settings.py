"""The grid of experiments: every setting can be used, by DVC's overrides and by ours alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments import run, settings
from pipeline.params import file, profiles

pytestmark = pytest.mark.medium

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("setting", settings.SETTINGS, ids=lambda setting: setting.name)
def test_a_setting_means_the_same_to_dvc_and_to_profiles(
    tmp_path: Path, setting: settings.Setting
) -> None:
    from dvc.utils.hydra import apply_overrides

    params = tmp_path / "params.yaml"
    params.write_text(profiles.text("glue-cpu", folder=ROOT / "profiles"), encoding="utf-8")
    apply_overrides(str(params), list(setting.changes))
    ours = profiles.as_written("glue-cpu", setting.changes, ROOT / "profiles")
    assert file.load(params) == file.check(ours)


def test_no_two_settings_are_the_same() -> None:
    names = [setting.name for setting in settings.SETTINGS]
    assert len(set(names)) == len(names)
    assert len({setting.changes for setting in settings.SETTINGS}) == len(names)
    assert {setting.against for setting in settings.SETTINGS} <= {"", *names}


def test_only_changes_before_the_student_are_the_teachers() -> None:
    by_name = {setting.name: setting.of_teachers for setting in settings.SETTINGS}
    assert by_name["half"] == by_name["same"] == by_name["soft_labels"] == ()
    assert by_name["annealed"] == by_name["paper"] == by_name["mean_logit"] == settings.IN_FOLD
    assert by_name["crossfit"] == by_name["calibrated"] == settings.FOLDED


def test_all_settings_run_with_one_seed_before_the_next() -> None:
    lines = list(run.commands(settings.select(["half", "paper"]), [1, 2]))
    assert [line[5] for line in lines] == ["half-1", "paper-1", "half-2", "paper-2"]
    assert lines[1][-2:] == ["-S", "student.seed=1"]
