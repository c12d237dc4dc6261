"""MLflow's registry, where a stage's alias asks for signatures, the ledger's copy only grows, and what is signed stays."""

from __future__ import annotations

from typing import Any

from mlflow.entities.model_registry import ModelVersion, ModelVersionTag, RegisteredModel, RegisteredModelTag
from mlflow.store.model_registry.dbmodels.models import SqlModelVersion, SqlRegisteredModelTag
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore
from sqlalchemy.exc import IntegrityError

from poc.rules.signoff import guarded
from poc.rules.signoff.artifact_places import Stages
from poc.rules.signoff.ledger import TAG
from poc.rules.signoff.moves import DEMOTED_TAG, STAGE_TAG, Demoted
from poc.rules.signoff.statement import GATED
from poc.tools.tracking.guard.decisions import Guard, refuse
from poc.tools.tracking.guard.links import with_link, without_link
from poc.tools.tracking.guard.signed import Signed


class GuardedRegistry(SqlAlchemyStore):
    """The registry in a database, with the guard before each of its writes."""

    def __init__(self, db_uri: str, guard: Guard) -> None:
        super().__init__(db_uri)
        self._guard = guard
        self._signed = Signed(lambda: self)

    # Aliases

    def set_registered_model_alias(self, name: str, alias: str, version: Any) -> None:
        """Give a stage's alias only to a version that the ledger vouches for."""
        number = str(super().get_model_version(name, version).version)
        refuse(guarded.alias_is_written_plainly(alias) or guarded.alias_is_vouched_for(alias, lambda stage: self._guard.findings(name, stage, number)))
        super().set_registered_model_alias(name, alias, version)
        if (said := _demoted(self.get_registered_model(name), alias)) and said.version == number:
            super().delete_registered_model_tag(name, f"{DEMOTED_TAG}{alias}")  # how it lost the stage once must not serve a second time

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        """Take a stage's alias away only where a note says why."""
        model = self.get_registered_model(name)
        holder = _holders(model).get(alias)
        tags = super().get_model_version(name, holder).tags if holder and alias in GATED else {}
        refuse(guarded.demotion_is_noted(alias, holder, tags.get(f"{STAGE_TAG}{alias}", ""), _demoted(model, alias)))
        super().delete_registered_model_alias(name, alias)

    # Registered models

    def create_registered_model(self, name: str, tags: Any = None, description: Any = None, deployment_job_id: Any = None) -> RegisteredModel:
        """Make a registered model, which brings no ledger along."""
        refuse(guarded.nothing_is_claimed([tag.key for tag in tags or []]))
        return super().create_registered_model(name, tags, description, deployment_job_id)

    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        """Rename only what nobody has decided about: signatures name it."""
        refuse(guarded.is_undecided(name, self._signed.stages_of(name, None)))
        return super().rename_registered_model(name, new_name)

    def delete_registered_model(self, name: str) -> None:
        """Delete only what nobody has decided about."""
        refuse(guarded.is_undecided(name, self._signed.stages_of(name, None)))
        super().delete_registered_model(name)

    def set_registered_model_tag(self, name: str, tag: RegisteredModelTag) -> None:
        """Append the ledger's next entry, or set a tag that is none."""
        refuse(guarded.stays_a_model(tag.key, self._signed.stages_of(name, None)))
        if not tag.key.casefold().startswith(TAG):
            super().set_registered_model_tag(name, tag)
            return
        held = self.get_registered_model(name).tags.get(tag.key)
        if held != tag.value:  # a client that saw no answer sends the same once more
            refuse(guarded.entry_is_next(tag.key, held, lambda: self._guard.next_entry_findings(name, tag.key, tag.value)))
            self._append(name, tag)

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        """Delete a tag that is no entry of the ledger."""
        refuse(guarded.ledger_only_grows(key))
        super().delete_registered_model_tag(name, key)

    def _append(self, name: str, tag: RegisteredModelTag) -> None:
        """Insert a tag, where MLflow's own way would write over another that came in meanwhile."""
        with self.ManagedSessionMaker(read_only=False) as session:
            workspace = self._get_registered_model(session, name).workspace
            session.add(SqlRegisteredModelTag(workspace=workspace, name=name, key=tag.key, value=tag.value))
            try:
                session.flush()
            except IntegrityError:
                session.rollback()
                refuse(guarded.entry_is_next(tag.key, "", list))

    # Versions

    def versions_where(self, **columns: str) -> list[tuple[str, str, str]]:
        """List versions as name, number and run; those too that MLflow's own search leaves out, because somebody called them prompts."""
        with self.ManagedSessionMaker() as session:
            found = session.query(SqlModelVersion).filter_by(**columns).all()
            return [(str(each.name), str(each.version), str(each.run_id)) for each in found]

    def create_model_version(self, name: str, source: str, run_id: Any = None, tags: Any = None, *more: Any, **named: Any) -> ModelVersion:
        """Make a version, which claims no stage."""
        refuse(guarded.nothing_is_claimed([tag.key for tag in tags or []]))
        return super().create_model_version(name, source, run_id, tags, *more, **named)

    def get_model_version(self, name: str, version: Any) -> ModelVersion:
        """Read a version; where it has a verdict, its description ends in the way to the sign-off page."""
        return with_link(super().get_model_version(name, version))

    def update_model_version(self, name: str, version: Any, description: Any = None) -> ModelVersion:
        """Change the description, and keep the link out of what is stored."""
        return super().update_model_version(name, version, without_link(description))

    def delete_model_version(self, name: str, version: Any) -> None:
        """Delete only what nobody has decided about."""
        refuse(guarded.is_undecided(f"version {version} of {name}", self._stages_of(name, version)))
        super().delete_model_version(name, version)

    def transition_model_version_stage(self, name: str, version: Any, stage: str, archive_existing_versions: bool) -> ModelVersion:
        """Refuse: a stage is an alias."""
        refuse(guarded.stages_are_aliases())
        return super().transition_model_version_stage(name, version, stage, archive_existing_versions)

    def set_model_version_tag(self, name: str, version: Any, tag: ModelVersionTag) -> None:
        """Set a tag: a stage's only on its holder, and none of ours once somebody has decided."""
        refuse(
            guarded.only_a_holder_says_so(tag.key, guarded.number_of(version), self._holders(name))
            or guarded.tag_is_free(tag.key, self._stages_of(name, version))
            or guarded.stays_a_model(tag.key, self._stages_of(name, version))
        )
        super().set_model_version_tag(name, version, tag)

    def delete_model_version_tag(self, name: str, version: Any, key: str) -> None:
        """Delete a tag, but none of those."""
        refuse(
            guarded.a_holder_keeps_saying_so(key, guarded.number_of(version), self._holders(name)) or guarded.tag_is_free(key, self._stages_of(name, version))
        )
        super().delete_model_version_tag(name, version, key)

    def _stages_of(self, name: str, version: Any) -> Stages:
        return self._signed.stages_of(name, guarded.number_of(version))

    def _holders(self, name: str) -> dict[str, str]:
        return _holders(self.get_registered_model(name))


def _holders(model: RegisteredModel) -> dict[str, str]:
    return {str(alias): str(version) for alias, version in model.aliases.items()}


def _demoted(model: RegisteredModel, alias: str) -> Demoted | None:
    return Demoted.read(model.tags.get(f"{DEMOTED_TAG}{alias}", ""))
