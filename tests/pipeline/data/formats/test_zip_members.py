from __future__ import annotations

import stat
import zipfile

import pytest

from pipeline.data.formats import zip_members
from pipeline.errors import DataError


@pytest.fixture
def pack(tmp_path):
    def made(contents: dict[str, bytes]):
        path = tmp_path / "RTE.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in contents.items():
                archive.writestr(name, content)
        return path

    return made


def test_only_the_task_folders_own_files_are_found(pack):
    path = pack(
        {
            "RTE/": b"",
            "RTE/train.tsv": b"a",
            "RTE/original/dev.tsv": b"b",
            "__MACOSX/RTE/._train.tsv": b"c",
            "__MACOSX/test.tsv": b"d",
            "dev.tsv": b"e",
        }
    )
    assert zip_members.members(path, "RTE") == {"train.tsv": "RTE/train.tsv"}


def test_a_member_is_read_as_it_is_and_nothing_is_unpacked(pack, tmp_path):
    path = pack({"RTE/train.tsv": b"a\r\nb\x85\n" * 1000})
    with zip_members.member(path, "RTE/train.tsv") as stream:
        assert stream.readline() == b"a\r\n"
        assert sum(len(line) for line in stream) == 1000 * 6 - 3
    assert [file.name for file in tmp_path.iterdir()] == ["RTE.zip"]


def link(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name)
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    return member


OUTSIDE = [
    "../x.tsv",
    "RTE/../../x.tsv",
    "..",
    "/etc/x",
    "C:x.tsv",
    "C:/x.tsv",
    "C:\\x.tsv",
    "RTE\\..\\..\\x.tsv",
    "RTE\\x.tsv",
    "\\\\h\\x\\y",
]


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_name_that_leaves_the_folder_refuses_the_whole_archive(pack, name):
    path = pack({"RTE/train.tsv": b"a", name: b"b"})
    with pytest.raises(DataError, match="leads out of") as error:
        zip_members.members(path, "RTE")
    assert error.value.seen == repr(name)
    assert error.value.where == path


def test_a_link_refuses_the_whole_archive(tmp_path):
    path = tmp_path / "RTE.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link("RTE/train.tsv"), b"/etc/passwd")
    with pytest.raises(DataError, match="leads out of"):
        zip_members.members(path, "RTE")


def test_a_nul_in_a_name_refuses_the_whole_archive(pack):
    path = pack({"RTE/a_b.tsv": b"a"})
    path.write_bytes(path.read_bytes().replace(b"a_b.tsv", b"a\0b.tsv"))
    with pytest.raises(DataError, match="leads out of"):
        zip_members.members(path, "RTE")


def test_odd_names_that_stay_inside_are_no_fault(pack):
    path = pack({"RTE/..tsv": b"", "RTE/a..b/c:d": b"", "__MACOSX/._x": b"", "Icon\r": b""})
    assert zip_members.members(path, "RTE") == {"..tsv": "RTE/..tsv"}


def test_a_file_that_is_no_zip_is_named(tmp_path):
    path = tmp_path / "RTE.zip"
    path.write_bytes(b"<html>not found</html>")
    with pytest.raises(DataError, match="not a zip file"):
        zip_members.members(path, "RTE")


def test_a_member_whose_bytes_changed_is_named(pack):
    path = pack({"RTE/train.tsv": bytes(range(256)) * 50})
    whole = bytearray(path.read_bytes())
    whole[60] ^= 0xFF
    path.write_bytes(whole)
    with (
        pytest.raises(DataError, match="a damaged archive") as error,
        zip_members.member(path, "RTE/train.tsv") as stream,
    ):
        stream.read()
    assert error.value.where == f"{path}: RTE/train.tsv"


def test_an_encrypted_member_is_named(pack):
    path = pack({"RTE/train.tsv": b"a"})
    whole = bytearray(path.read_bytes())
    whole[6] |= 1  # the flag, in the member's own header and in the list of members
    whole[whole.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(whole)
    with (
        pytest.raises(DataError, match="a damaged archive") as error,
        zip_members.member(path, "RTE/train.tsv"),
    ):
        pass
    assert "encrypted" in str(error.value.seen)
