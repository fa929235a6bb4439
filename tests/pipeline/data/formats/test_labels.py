from __future__ import annotations

import pytest

from pipeline.data.formats.labels import LabelError, parser
from pipeline.data.formats.layouts import OFFICIAL
from pipeline.tasks import GLUE


@pytest.mark.parametrize(
    ("task", "spelling", "label"),
    [
        ("cola", "0", "unacceptable"),
        ("cola", "1", "acceptable"),
        ("sst2", "1", "positive"),
        ("mrpc", "1", "equivalent"),
        ("qqp", "1", "duplicate"),
        ("mnli", "entailment", "entailment"),
        ("mnli", "neutral", "neutral"),
        ("mnli", "contradiction", "contradiction"),
        ("qnli", "not_entailment", "not_entailment"),
        ("rte", "entailment", "entailment"),
        ("wnli", "0", "not_entailment"),
        ("wnli", "1", "entailment"),
    ],
)
def test_official_spellings_name_the_canonical_class(task, spelling, label):
    parse = parser(GLUE[task], OFFICIAL[task].spellings)
    assert GLUE[task].labels[int(parse(spelling))] == label


@pytest.mark.parametrize(
    ("text", "score"), [("5.000", 5.0), ("0.8", 0.8), ("3", 3.0), ("2.11111111111111", 19 / 9)]
)
def test_scores_are_read_in_every_spelling_of_the_files(text, score):
    assert parser(GLUE["stsb"], ())(text) == pytest.approx(score, abs=1e-13)


@pytest.mark.parametrize(
    "text",
    ["", "x", "nan", "inf", "-0.1", "5.001", " 3", "3 ", "1_0", "1,5", "0x1", "\u0663", "1e999"],
)
def test_what_is_no_score_in_range_is_refused(text):
    with pytest.raises(LabelError, match="allowed: a number from 0 to 5"):
        parser(GLUE["stsb"], ())(text)


@pytest.mark.parametrize("text", ["", "Entailment", "entailment ", "0", "2", "-"])
def test_an_unknown_class_is_refused_with_the_known_ones(text):
    with pytest.raises(LabelError, match="allowed: entailment, not_entailment"):
        parser(GLUE["rte"], OFFICIAL["rte"].spellings)(text)
