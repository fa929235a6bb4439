from __future__ import annotations

import pytest

from pipeline.data.formats import mrpc

HEAD = b"\xef\xbb\xbfQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n"
ALL = ("Quality", "#1 ID", "#2 ID", "#1 String", "#2 String")


@pytest.fixture
def folder(tmp_path):
    rows = [b"1\t10\t11\tA\tB", b"0\t11\t10\tC\tD", b"0\t10\t12\tE\tF", b'1\t20\t21\tG\t"H ']
    (tmp_path / "msr_paraphrase_train.txt").write_bytes(HEAD + b"\n".join(rows) + b"\n")
    (tmp_path / "msr_paraphrase_test.txt").write_bytes(HEAD + b"1\t1\t2\tI\tJ\n")
    # dev's list is in another order than the rows
    (tmp_path / "mrpc_dev_ids.tsv").write_bytes(b"20\t21\n10\t11\n")
    return tmp_path


def test_the_ordered_pair_of_ids_decides_and_the_files_order_stays(folder):
    texts = ("#1 String", "#2 String")
    assert list(mrpc.rows(folder, "dev", texts)) == [(2, ("A", "B")), (5, ("G", '"H '))]
    assert list(mrpc.rows(folder, "train", texts)) == [(3, ("C", "D")), (4, ("E", "F"))]
    assert list(mrpc.rows(folder, "test", texts)) == [(2, ("I", "J"))]


@pytest.mark.parametrize("split", ["train", "dev"])
def test_the_real_splits_come_out_byte_by_byte(real_glue, split):
    folder = real_glue / "MRPC"
    lines = ["\t".join(cells) for _, cells in mrpc.rows(folder, split, ALL)]
    text = "\ufeff" + "\n".join(["\t".join(ALL), *lines]) + "\n"
    assert text.encode() == (folder / f"{split}.tsv").read_bytes()
