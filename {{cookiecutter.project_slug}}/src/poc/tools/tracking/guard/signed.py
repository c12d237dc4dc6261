"""Which versions, runs and logged models somebody has decided about, by the ledger's copy and by who holds a stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from poc.rules.signoff.artifact_places import Stages
from poc.rules.signoff.guarded import stages_decided
from poc.rules.signoff.moves import stage_of_alias

if TYPE_CHECKING:
    from poc.tools.tracking.guard.registry import GuardedRegistry

NOTHING: Stages = frozenset()


class Signed:
    """Asks the registry; nothing is remembered, because another process may have written."""

    def __init__(self, registry: Callable[[], GuardedRegistry]) -> None:
        self._registry = registry

    def stages_of(self, project: str, version: str | None) -> Stages:
        """Say for which stages a version was decided about, or holds them; without one, whether any was, or the charter."""
        from mlflow.exceptions import MlflowException

        try:
            model = self._registry().get_registered_model(project)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return NOTHING
        held = {stage for alias, holder in model.aliases.items() if version in (None, str(holder)) and (stage := stage_of_alias(alias))}
        return stages_decided(model.tags, version) | held

    def stages_of_run(self, run_id: str) -> Stages:
        """Say for which stages any version from a run was decided about, or holds them."""
        return self._of_versions(run_id=run_id.lower()) if run_id else NOTHING

    def stages_of_logged_model(self, model_id: str) -> Stages:
        """Say for which stages any version of a logged model was decided about, or holds them."""
        return self._of_versions(source=f"models:/{model_id.lower()}")

    def runs(self) -> Iterator[tuple[str, Stages]]:
        """Go through all runs of versions that were decided about."""
        for name, version, run_id in self._registry().versions_where():
            if stages := self.stages_of(name, version):
                yield run_id, stages

    def _of_versions(self, **columns: str) -> Stages:
        return NOTHING.union(*(self.stages_of(name, version) for name, version, _ in self._registry().versions_where(**columns)))
