"""Where `poc serve` takes a candidate from: the newest run, a folder, or the version that holds an alias."""

from __future__ import annotations

from pathlib import Path

from poc import layout
from poc.acts.admit import ByAlias, ByStage, InFolder, Source
from poc.acts.newest import newest_candidate, verdict_of
from poc.errors import PocError
from poc.layout import project_root
from poc.rules.signoff.moves import stage_of_alias
from poc.tools import strict_yaml


def newest(root: Path) -> Source:
    """Take the candidate of the newest run that froze one, at each reload anew."""
    return InFolder(find=lambda: newest_candidate(root)[1], says=lambda _: _in_words(newest_candidate(root)[0]))


def _in_words(run: Path) -> str:
    verdict = verdict_of(run)
    return f"run {run.name}, {f'verdict {verdict}' if verdict else 'no verdict yet'}"


def in_folder(folder: Path) -> Source:
    """Take the candidate in a folder, which must not be moved while it is served: a reload reads it again."""
    return InFolder(find=lambda: folder)


def by_stage(root: Path, stage: str) -> Source:
    """Take the version that holds a stage among those of this repository's project, if it is signed for."""
    return ByStage(root=root, project=strict_yaml.load_charter(root / layout.CHARTER).project, stage=stage)


def by_alias(root: Path, alias: str) -> Source:
    """Take the version that holds an alias among those of this repository's project; a stage's alias, however it is typed, is that stage."""
    if stage := stage_of_alias(alias):
        return by_stage(root, stage)
    return ByAlias(project=strict_yaml.load_charter(root / layout.CHARTER).project, alias=alias)


def in_folder_or_by_alias(said: str) -> Source:
    """Take a candidate from a folder, where there is one of that name, or by alias."""
    return in_folder(Path(said).resolve()) if Path(said).is_dir() else by_alias(project_root(), said)


def limit_ms() -> float | None:
    """Say which p99 the charter of this repository allows; None where there is no repository, or no charter that could be read."""
    try:
        return float(strict_yaml.load_charter(project_root() / layout.CHARTER).limits.latency_p99_ms)
    except PocError:
        return None
