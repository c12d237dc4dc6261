"""The way from a version's description to the page where it is signed: shown, never stored, so that nobody can take it out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

BEGINS = "\n\n[Sign-offs of this version, and the page to sign on]("


def with_link(version: ModelVersion) -> ModelVersion:
    """Let the description of a version that has a verdict end in the link."""
    if "verdict" in version.tags:
        version.description = f"{version.description or ''}{BEGINS}/signoff/{version.name}/{version.version})"
    return version


def without_link(description: str | None) -> str | None:
    """Cut the link off again, as it comes back from MLflow's editor."""
    return description.partition(BEGINS)[0] if description else description
