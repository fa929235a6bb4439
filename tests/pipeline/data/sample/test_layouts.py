"""Layouts of the sample source.

Run: pytest tests/pipeline/data/sample/test_layouts.py
"""

from __future__ import annotations

import pytest

from pipeline.data.sample.examples import Example
from pipeline.data.sample.layouts import Table, file_name, spell_score, table

TABLES = [
    (Table(("a", "b"), [("1", "x y")]), b"a\tb\n1\tx y\n"),
    (Table((), [("1", 'say "x'), ("2", "")], final_newline=False), b'1\tsay "x\n2\t'),
    (Table(("a",), [("\u00e9",)], bom=True), b"\xef\xbb\xbfa\n\xc3\xa9\n"),
]


@pytest.mark.parametrize(("written", "expected"), TABLES)
def test_encode(written, expected):
    assert written.encode() == expected


@pytest.mark.parametrize(
    ("score", "spelling", "expected"),
    [
        (5.0, "{:.3f}", "5.000"),
        (0.8, "{:.2f}", "0.80"),
        (3.0, "{:.16g}", "3"),
        (0.8, "{:.16g}", "0.8"),
        (3.0, "{:.1f}", "3.0"),
        (2.1, "ninths", "2.11111111111111"),
        (5.0, "ninths", "5"),
    ],
)
def test_spell_score(score, spelling, expected):
    assert spell_score(score, spelling) == expected


@pytest.mark.parametrize(
    ("split", "name"),
    [("train", "train.tsv"), ("dev_matched", "dev_matched.tsv"), ("ax", "diagnostic.tsv")],
)
def test_file_name(split, name):
    assert file_name(split) == name


PAIR = ("Rain fell.", "It rained.")
LINES = [
    ("cola", "train", Example(("Rain fell.",), "unacceptable"), "sg00\t0\t*\tRain fell."),
    ("cola", "test", Example(("Rain fell.",), "unacceptable"), "0\tRain fell."),
    ("sst2", "dev", Example(("so dull .",), "negative"), "so dull . \t0"),
    ("mrpc", "train", Example(PAIR, "equivalent"), "1\t100000\t100011\tRain fell.\tIt rained."),
    ("mrpc", "test", Example(PAIR, "equivalent"), "0\t800000\t800011\tRain fell.\tIt rained."),
    (
        "stsb",
        "dev",
        Example(PAIR, 4.2),
        "0\tmain-captions\tMSRvid\t2012test\t0000\tnone\tnone\tRain fell.\tIt rained.\t4.200",
    ),
    ("qqp", "train", Example(PAIR, "not_duplicate"), "1\t1\t2\tRain fell.\tIt rained.\t0"),
    ("qqp", "test", Example(PAIR, "not_duplicate"), "0\tRain fell.\tIt rained."),
    (
        "mnli",
        "train",
        Example(PAIR, "neutral"),
        "0\t10000\t10000n\ttales\t( Rain fell. )\t( It rained. )\t(ROOT (S (X Rain fell.)))\t"
        "(ROOT (S (X It rained.)))\tRain fell.\tIt rained.\tneutral\tneutral",
    ),
    ("mnli", "ax", Example(PAIR, "neutral"), "0\tRain fell.\tIt rained."),
    ("qnli", "train", Example(PAIR, "entailment"), "0\tRain fell.\tIt rained.\tentailment"),
    ("rte", "dev", Example(PAIR, "not_entailment"), "0\tRain fell.\tIt rained.\tnot_entailment"),
    ("wnli", "dev", Example(PAIR, "entailment"), "0\tRain fell.\tIt rained.\t1"),
    ("wnli", "test", Example(PAIR, "entailment"), "0\tRain fell.\tIt rained."),
]


@pytest.mark.parametrize(("task", "split", "example", "line"), LINES)
def test_lines(task, split, example, line):
    assert "\t".join(table(task, split, [example]).rows[0]) == line
