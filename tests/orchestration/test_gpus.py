"""Stages side by side are spread over the GPUs; nobody needs one for it to be tested."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestration import gpus
from orchestration.executors import local
from pipeline.runtime import progress


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """NVIDIA's tool, which names two GPUs."""
    file = tmp_path / "nvidia-smi"
    file.write_text('#!/bin/sh\necho "$*" > "$0.told"\nprintf "GPU-a1\\nGPU-b2\\n"\n')
    file.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv(gpus.VISIBLE, raising=False)
    return file


@pytest.mark.parametrize(
    ("device", "named", "expected"),
    [
        ("auto", "0,1", ["0", "1"]),
        ("cuda", " 3 , 1 ", ["3", "1"]),
        ("auto", "2", ["2"]),
        ("auto", "", []),
        ("auto", "-1", []),
        ("auto", "0,-1,1", ["0"]),
        ("cuda:1", "0,1", []),  # one was named: it would have another number among those left
        ("cpu", "0,1", []),
        ("mps", "0,1", []),
    ],
)
def test_what_the_user_left_visible_is_handed_out(
    monkeypatch: pytest.MonkeyPatch, device: str, named: str, expected: list[str]
) -> None:
    monkeypatch.setenv(gpus.VISIBLE, named)
    assert gpus.to_hand_out(device) == expected


def test_the_tool_is_asked_for_names_that_do_not_depend_on_an_order(tool: Path) -> None:
    assert gpus.to_hand_out("auto") == ["GPU-a1", "GPU-b2"]
    arguments = tool.with_name("nvidia-smi.told").read_text()
    assert arguments == "--query-gpu=uuid --format=csv,noheader\n"


def test_a_tool_that_fails_or_is_not_there_names_none(tool: Path) -> None:
    tool.write_text("#!/bin/sh\necho no driver\nexit 9\n")
    assert gpus.to_hand_out("auto") == []
    tool.unlink()
    assert gpus.to_hand_out("auto") == []


@pytest.mark.parametrize(
    ("jobs", "devices", "expected", "line"),
    [
        (2, ["0", "1"], ["0", "1"], "2 stages side by side, on the GPUs 0, 1\n"),
        (3, ["0", "1"], ["0", "1", "0"], "3 stages side by side, on the GPUs 0, 1, 0\n"),
        (2, ["a", "b", "c"], ["a", "b"], "2 stages side by side, on the GPUs a, b\n"),
        (2, ["0"], [None, None], ""),
        (2, [], [None, None], ""),
    ],
)
def test_places_are_dealt_in_turn(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    jobs: int,
    devices: list[str],
    expected: list[str | None],
    line: str,
) -> None:
    places = local._places(jobs, devices)
    assert [places.get() for _ in range(jobs)] == expected
    assert places.empty()
    assert capsys.readouterr().out == line
    monkeypatch.setenv(progress.QUIET, "1")
    local._places(jobs, devices)
    assert not capsys.readouterr().out


@pytest.mark.medium
def test_no_gpu_has_two_stages_while_another_has_none(toy: Any) -> None:
    # Each stage holds a folder named after its GPU, which cannot be made twice.
    hook = 'd=gpu-$CUDA_VISIBLE_DEVICES; mkdir $d && sleep 1 && echo "$d" >> gpus; rmdir $d\n'
    (toy.folder / "hook.sh").write_text(hook)
    output = toy.repro("--jobs", "2", CUDA_VISIBLE_DEVICES="5,7")
    used = (toy.folder / "gpus").read_text().split()
    assert len(used) == 4
    assert set(used) == {"gpu-5", "gpu-7"}
    assert output.count("on the GPUs 5, 7") == 1
