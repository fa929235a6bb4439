"""The grid of experiments: every setting can be used, by DVC's overrides and by ours alike."""

from __future__ import annotations

from pathlib import Path

import pytest

from experiments import settings
from pipeline.params import file, profiles
from pipeline.replication.settings import Setting

pytestmark = pytest.mark.medium

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("setting", settings.SETTINGS, ids=lambda setting: setting.name)
def test_a_setting_means_the_same_to_dvc_and_to_profiles(tmp_path: Path, setting: Setting) -> None:
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
