"""params.yaml as it lies on disk: YAML 1.2, DVC's own way of writing, unreadable files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ParamsError
from pipeline.params import file

ROOT = Path(__file__).resolve().parents[3]
SAMPLE = ROOT / "profiles" / "sample.yaml"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2e-5", 2e-5),
        ("1e-05", 1e-5),
        ("2.0E-5", 2e-5),
        ("1e3", 1000.0),
        ("010", 10),  # octal in YAML 1.1
        ("0o10", 8),
        ("no", "no"),  # a boolean in YAML 1.1
        ("on", "on"),
        ("yes", "yes"),
        ("1:30", "1:30"),  # 90 in YAML 1.1
        ("true", True),
        ("null", None),
        ("", None),
        ("~", None),
        (".inf", float("inf")),
        ("{seed: 4}", {"seed": 4}),
    ],
)
def test_yaml_1_2(tmp_path: Path, text: str, value: Any) -> None:
    path = tmp_path / "params.yaml"
    path.write_text(f"key: {text}\n", encoding="utf-8")
    read = file.read_yaml(path)["key"]
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("student.learning_rate=1e-5", ("student", "learning_rate"), 1e-5),
        ("student.learning_rate=0.00002", ("student", "learning_rate"), 2e-5),
        ("student.epochs=1", ("student", "epochs"), 1),
        ("tasks.rte.rows.train=500", ("tasks", "rte", "rows", "train"), 500),
        ("tasks.rte.rows.train=null", ("tasks", "rte", "rows", "train"), None),
        ("student.encoder.layers=[2,4]", ("student", "encoder", "layers"), [2, 4]),
        ("+teachers.members.m4={seed: 4}", ("teachers", "members", "m4"), {"seed": 4}),
        ("+teachers.members.m1.epochs=9", ("teachers", "members", "m1", "epochs"), 9),
    ],
)
def test_what_dvc_exp_run_writes_is_read_back(
    tmp_path: Path, override: str, path: tuple[str, ...], value: Any
) -> None:
    from dvc.utils.hydra import apply_overrides

    params = tmp_path / "params.yaml"
    params.write_bytes(SAMPLE.read_bytes())
    apply_overrides(str(params), [override])
    read: Any = file.read_yaml(params)
    file.check(read)
    for key in path:
        read = read[key]
    assert read == value
    assert type(read) is type(value)


def test_dvc_deletes_a_task_with_its_teachers(tmp_path: Path) -> None:
    from dvc.utils.hydra import apply_overrides

    params = tmp_path / "params.yaml"
    params.write_bytes(SAMPLE.read_bytes())
    apply_overrides(str(params), ["~tasks.rte", "~teachers.tasks.rte"])
    loaded = file.load(params)
    assert "rte" not in loaded.tasks
    assert list(loaded.teachers.tasks) == ["mnli", "qqp", "qnli"]


@pytest.mark.parametrize(
    ("content", "what", "seen"),
    [
        (b"a: 1\na: 2\n", "not readable as YAML", "line 2, column 1: found duplicate key"),
        (b"a: [1\n", "not readable as YAML", "line 2, column 1: expected"),
        (b"a: b: c\n", "not readable as YAML", "line 1, column 5: mapping values"),
        (b"\ta: 1\n", "not readable as YAML", "line 1, column 1: found character '\\t'"),
        (b"a: 1\n---\nb: 2\n", "not readable as YAML", "but found another document"),
        (b"a: !!python/name:os.system x\n", "not readable as YAML", "could not determine"),
        (b"a: \x00\n", "not readable as YAML", "unacceptable character"),
        (b"a: \xff\n", "not UTF-8 text", "invalid start byte"),
        (b"", "not a mapping of sections", "null"),
        (b"- a\n", "not a mapping of sections", "[a]"),
    ],
)
def test_unreadable_files(tmp_path: Path, content: bytes, what: str, seen: str) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(ParamsError) as error:
        file.load(path)
    assert error.value.what == what
    assert seen in str(error.value.seen)
    assert "\n" not in str(error.value.seen)
    assert error.value.where == path


def test_no_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ParamsError) as error:
        file.load(tmp_path / "params.yaml")
    assert error.value.what == "no such file"
    assert "python -m stages.profile apply sample" in str(error.value.fix)


def test_a_byte_order_mark_is_not_part_of_the_first_key(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SAMPLE.read_bytes())
    assert file.read_yaml(path) == file.read_yaml(SAMPLE)


def test_one_fault_reads_as_a_user_sees_it(values: dict[str, Any]) -> None:
    values["student"]["epoch"] = 3
    with pytest.raises(ParamsError) as error:
        file.check(values, where="profiles/x.yaml")
    assert str(error.value) == (
        "1 fault in the parameters:\n"
        "  - student.epoch: unknown key; did you mean epochs?\n"
        "  where: profiles/x.yaml"
    )
