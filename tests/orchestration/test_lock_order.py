"""dvc.lock has its stages in the order of dvc.yaml.

Run with: python -m pytest tests/orchestration/test_lock_order.py
"""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from orchestration import lock_order

HEAD = "schema: '2.0'\nstages:\n"
A = "  a@1:\n    cmd: one\n    outs:\n    - path: x\n      size: 1\n"
B = "  b:\n    cmd: |-\n      two\n\n      three\n"
GONE = "  gone:\n    cmd: four\n"
LOCK = Path(__file__).resolve().parents[2] / "dvc.lock"


def test_instances_that_are_gone_come_last_and_stages_that_are_gone_are_dropped() -> None:
    other = A.replace("a@1", "a@2")
    ordered = HEAD + A + B + other
    stages = {"a": {"matrix": {}}, "b": {}}
    whole, part = A.replace("a@1", "a"), B.replace("b:", "b@1:")  # as they once were
    for entries in ((GONE, B, other, A), (B, whole, A, GONE, other), (A, B, other, part, GONE)):
        text = HEAD + "".join(entries)
        assert lock_order.in_order(text, ["a@1", "b"], stages) == ordered
    assert lock_order.in_order("", ["a@1"], stages) == ""


def test_nothing_but_the_order_of_a_real_lock_changes() -> None:
    text = LOCK.read_text("utf-8")
    yaml = YAML(typ="safe")
    stages = yaml.load(text)["stages"]
    names = sorted(stages)
    kinds = {name.partition("@")[0]: {"matrix": {}} if "@" in name else {} for name in names}
    turned = lock_order.in_order(text, names, kinds)
    assert yaml.load(turned)["stages"] == stages
    assert list(yaml.load(turned)["stages"]) == names
    assert sorted(turned.splitlines()) == sorted(text.splitlines())


def stages(toy: Any) -> list[str]:
    """Names of the stages in dvc.lock, in its order."""
    return list(YAML(typ="safe").load((toy.folder / "dvc.lock").read_text("utf-8"))["stages"])


@pytest.mark.medium
def test_a_run_leaves_the_order_of_dvc_yaml(toy: Any) -> None:
    toy.repro("--until", "baseline")
    toy.repro("--jobs", "2")
    lock = stages(toy)
    groups = list(dict.fromkeys(name.partition("@")[0] for name in lock))
    assert groups == ["prepare", "teach", "ensemble", "baseline"]
    assert lock[2:6] == ["teach@qqp-m1", "teach@qqp-m2", "teach@rte-m1", "teach@rte-m2"]
    assert "no stage to run" in toy.repro()


@pytest.mark.medium
@pytest.mark.parametrize("interrupted", [True, False])
def test_a_run_that_does_not_finish_leaves_it_too(toy: Any, interrupted: bool) -> None:
    toy.repro("--until", "baseline")
    wait = "echo $$ > pid-$1; exec sleep 60" if interrupted else "exit 1"
    (toy.folder / "hook.sh").write_text(f"test $1 = qqp-m1 && exit 0; {wait}\n")
    process = toy.start()
    if interrupted:
        toy.wait_for("pid-*", 1)
        process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=120)
    assert process.returncode == (130 if interrupted else 1), output
    assert stages(toy) == ["prepare@qqp", "prepare@rte", "teach@qqp-m1", "baseline"]
