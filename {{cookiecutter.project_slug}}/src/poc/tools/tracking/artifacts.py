"""Artifacts brought here exactly as MLflow holds them, links left as links."""

from __future__ import annotations

import shutil
import stat
import tempfile
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from poc.errors import EnvironmentRefused
from poc.rules.signoff import Finding, Reason, refuse_with
from poc.tools.tracking.connection import tracking_uri, where_it_lies


def bring(uri: str, into: Path) -> None:
    """Copy a folder of artifacts, or download it.

    Raises:
        EnvironmentRefused: it lies in a store that cannot be reached from here, or that nobody here knows how to read.
        NotSignedOff: something there is no plain file.
    """
    uri = where_it_lies(uri)
    if urlsplit(uri).scheme in ("", "file"):
        _copy(Path(url2pathname(urlsplit(uri).path)) if urlsplit(uri).scheme else Path(uri), into)
        return
    try:
        _download(uri, into)
    except Exception as error:  # each store has a library of its own, with errors of its own, or none that is installed
        said = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        fix = "install what reads that store and give it access, or register a version whose files MLflow's server holds itself"
        raise EnvironmentRefused(f"these files cannot be read here ({said})", where=ascii(uri)[1:-1], fix=fix) from error


def _download(uri: str, into: Path) -> None:
    from mlflow.artifacts import download_artifacts, list_artifacts

    if list_artifacts(artifact_uri=uri, tracking_uri=tracking_uri()):
        with tempfile.TemporaryDirectory(dir=into.parent) as folder:
            Path(download_artifacts(artifact_uri=uri, dst_path=folder, tracking_uri=tracking_uri())).replace(into)


def _copy(folder: Path, into: Path) -> None:
    if folder.is_symlink():
        into.symlink_to(folder.readlink())
    elif folder.is_dir():
        shutil.copytree(folder, into, symlinks=True, copy_function=_copy_file)


def _copy_file(source: str, target: str) -> None:
    if not stat.S_ISREG(Path(source).lstat().st_mode):
        refuse_with([Finding(reason=Reason.STRANGE_FILE, what="this is neither a file nor a folder", where=source)])
    shutil.copyfile(source, target)
