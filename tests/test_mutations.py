"""The table of mutations is one of today's code.

Run with: python -m pytest tests/test_mutations.py
"""

from __future__ import annotations

import pytest

from tests.mutations import MUTATIONS, ROOT, Mutation


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_a_row_names_text_that_stands_once_and_tests_that_exist(mutation: Mutation) -> None:
    text = (ROOT / mutation.file).read_text("utf-8")
    assert text.count(mutation.old) == 1
    assert mutation.new != mutation.old
    for test in mutation.tests.split():
        assert (ROOT / "tests" / "pipeline" / test.partition("::")[0]).exists()


def test_names_are_different() -> None:
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS)
