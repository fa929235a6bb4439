"""Lay generated examples out as the official files of the nine tasks, column by column."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.data.sample.examples import Example
from pipeline.tasks import GLUE, part_of

BOM = "\ufeff"
_UNKNOWN = "-"


@dataclass(frozen=True)
class Table:
    """The rows of one file.

    Attributes:
        header: column names, or empty for a file without a header line.
        rows: cells of each line.
        bom: whether the file starts with a byte order mark.
        final_newline: whether the last line ends in a newline.
    """

    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]
    bom: bool = False
    final_newline: bool = True

    def encode(self) -> bytes:
        """UTF-8, tabs between cells, nothing quoted."""
        lines = [self.header, *self.rows] if self.header else self.rows
        text = "\n".join("\t".join(cells) for cells in lines)
        return f"{BOM * self.bom}{text}{chr(10) * self.final_newline}".encode()


def file_name(split: str) -> str:
    """Name of the file of a split."""
    return "diagnostic.tsv" if split == "ax" else f"{split}.tsv"


def table(task: str, split: str, examples: Sequence[Example]) -> Table:
    """Lay the examples of one split out as the official file has them."""
    return _LAYOUTS[task](split, examples)


def _cola(split: str, examples: Sequence[Example]) -> Table:
    if split == "test":
        return Table(("index", "sentence"), _indexed(examples))
    rows = [
        (f"sg{row % 5:02d}", _digit("cola", example), _mark(example), *example.texts)
        for row, example in enumerate(examples)
    ]
    return Table((), rows, final_newline=split != "dev")


def _mark(example: Example) -> str:
    """The linguists' star for a bad sentence."""
    return "" if example.label == "acceptable" else "*"


def _sst2(split: str, examples: Sequence[Example]) -> Table:
    if split == "test":
        return Table(("index", "sentence"), _indexed(examples))
    rows = [(f"{example.texts[0]} ", _digit("sst2", example)) for example in examples]
    return Table(("sentence", "label"), rows)


def _mrpc(split: str, examples: Sequence[Example]) -> Table:
    first = "index" if split == "test" else "Quality"
    offset = {"train": 100_000, "dev": 500_000, "test": 800_000}[split]
    rows = [
        (
            str(row) if split == "test" else _digit("mrpc", example),
            str(offset + 37 * row),
            str(offset + 37 * row + 11),
            *example.texts,
        )
        for row, example in enumerate(examples)
    ]
    header = (first, "#1 ID", "#2 ID", "#1 String", "#2 String")
    return Table(header, rows, bom=split != "test")


_STSB_GENRES = (
    ("main-captions", "MSRvid", "2012test", "{:.3f}"),
    ("main-captions", "images", "2014", "{:.2f}"),
    ("main-news", "headlines", "2015", "{:.16g}"),
    ("main-news", "headlines", "2013", "{:.1f}"),
    ("main-forums", "deft-forum", "2014", "ninths"),
)
"""Genre, file, year, and the way that file spells its scores."""


def _stsb(split: str, examples: Sequence[Example]) -> Table:
    header = "index genre filename year old_index source1 source2 sentence1 sentence2 score"
    rows = []
    for row, example in enumerate(examples):
        genre, name, year, spelling = _STSB_GENRES[row % len(_STSB_GENRES)]
        cells = (str(row), genre, name, year, f"{7 * row:04d}", "none", "none", *example.texts)
        rows.append(cells if split == "test" else (*cells, spell_score(example.label, spelling)))
    columns = tuple(header.split(" "))
    return Table(columns[:-1] if split == "test" else columns, rows)


def spell_score(score: str | float, spelling: str) -> str:
    """A score as one of the corpora writes it: 3.000, 3.00, 3, 3.0, or the mean of nine votes."""
    if spelling == "ninths":
        return f"{round(float(score) * 9) / 9:.15g}"
    return spelling.format(float(score))


def _qqp(split: str, examples: Sequence[Example]) -> Table:
    if split == "test":
        rows = [(str(row), *example.texts) for row, example in enumerate(examples)]
        return Table(("id", "question1", "question2"), rows)
    first = {"train": 1, "dev": 400_001}[split]
    rows = [
        (
            str(first + row),
            str(2 * (first + row) - 1),
            str(2 * (first + row)),
            *example.texts,
            _digit("qqp", example),
        )
        for row, example in enumerate(examples)
    ]
    return Table(("id", "qid1", "qid2", "question1", "question2", "is_duplicate"), rows)


_MNLI_COLUMNS = (
    "index", "promptID", "pairID", "genre", "sentence1_binary_parse", "sentence2_binary_parse",
    "sentence1_parse", "sentence2_parse", "sentence1", "sentence2",
)  # fmt: skip
_MNLI_GENRES = {True: ("tales", "radio", "guides"), False: ("letters", "logbooks", "speeches")}


def _mnli(split: str, examples: Sequence[Example]) -> Table:
    if split == "ax":
        columns = ("index", "sentence1", "sentence2")
        return Table(columns, _indexed(examples), final_newline=False)
    votes = {"train": 1, "dev": 5, "test": 0}[part_of(split)]
    labels = [*(f"label{vote + 1}" for vote in range(votes)), "gold_label"] if votes else []
    rows = [_mnli_row(row, split, example, votes) for row, example in enumerate(examples)]
    return Table((*_MNLI_COLUMNS, *labels), rows)


def _mnli_row(row: int, split: str, example: Example, votes: int) -> tuple[str, ...]:
    gold = str(example.label)
    genres = _MNLI_GENRES[not split.endswith("_mismatched")]
    pair = f"{10_000 + row}{gold[0] if votes else ''}"
    parses = [_binary_parse(text) for text in example.texts]
    trees = [f"(ROOT (S {parse.replace('( ', '(X ').replace(' )', ')')}))" for parse in parses]
    cells = (str(row), str(10_000 + row), pair, genres[row % 3], *parses, *trees, *example.texts)
    return (*cells, *_votes(row, gold, votes), gold) if votes else cells


def _votes(row: int, gold: str, votes: int) -> list[str]:
    """Labels of the five annotators: in every third dev row one of them disagrees."""
    labels = [gold] * votes
    if votes > 1 and row % 3 == 0:
        others = [label for label in GLUE["mnli"].labels if label != gold]
        labels[1 + row % (votes - 1)] = others[row % 2]
    return labels


def _binary_parse(text: str) -> str:
    """A right-branching tree; readers of the layout skip this column."""
    *front, last = text.split()
    return "".join(f"( {word} " for word in front) + last + " )" * len(front)


def _named(*columns: str, digits_of: str = "") -> Callable[[str, Sequence[Example]], Table]:
    """Layout of QNLI, RTE and WNLI: index, the two texts, and the label unless it is test.

    `digits_of` names the task if its labels are written as 0 and 1.
    """

    def layout(split: str, examples: Sequence[Example]) -> Table:
        rows = _indexed(examples)
        if split == "test":
            return Table(("index", *columns), rows)
        labels = [_digit(digits_of, e) if digits_of else str(e.label) for e in examples]
        labelled = [(*cells, label) for cells, label in zip(rows, labels, strict=True)]
        return Table(("index", *columns, "label"), labelled)

    return layout


def _indexed(examples: Sequence[Example]) -> list[tuple[str, ...]]:
    return [(str(row), *example.texts) for row, example in enumerate(examples)]


def _digit(task: str, example: Example) -> str:
    """The label as 0 or 1."""
    return str(GLUE[task].labels.index(str(example.label)))


_LAYOUTS: Mapping[str, Callable[[str, Sequence[Example]], Table]] = {
    "cola": _cola,
    "sst2": _sst2,
    "mrpc": _mrpc,
    "stsb": _stsb,
    "qqp": _qqp,
    "mnli": _mnli,
    "qnli": _named("question", "sentence"),
    "rte": _named("sentence1", "sentence2"),
    "wnli": _named("sentence1", "sentence2", digits_of="wnli"),
}
