"""A folder with trust files: their bytes, whether it lies inside another, and whether whoever asks could change it."""

from __future__ import annotations

import os
from pathlib import Path

from poc import layout

NAMES = (layout.ALLOWED_SIGNERS, layout.REVOKED, layout.ROLES)
#: Far more than ten thousand people need.
LARGEST_BYTES = 4_000_000


def read_folder(folder: Path) -> dict[str, bytes]:
    """Return the trust files that can be read, by name: plain files, or links to such, as Kubernetes mounts them."""
    found = {}
    for name in NAMES:
        try:
            if (folder / name).is_file() and (folder / name).stat().st_size <= LARGEST_BYTES:
                found[name] = (folder / name).read_bytes()
        except OSError:  # not ours to read: as good as missing
            continue
    return found


def places_of(folder: Path) -> list[Path]:
    """Return where a folder and its trust files really lie, links followed."""
    return [folder.resolve(), *((folder / name).resolve() for name in NAMES)]


def is_inside(path: Path, folder: Path) -> bool:
    """Say whether a path lies in a folder, or is it; by identity, so that letter case and mounts hide nothing."""
    if not folder.exists():
        return False
    return any(each.exists() and each.samefile(folder) for each in (path, *path.parents))


def can_be_changed(folder: Path) -> bool:
    """Say whether this process could change trust files, or put others in their place."""
    return any(os.access(path, os.W_OK) for path in (folder, *places_of(folder)))
