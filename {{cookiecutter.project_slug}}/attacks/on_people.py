"""Attacks on who signs: builders under every name, and people without the role."""

from __future__ import annotations

import json
from typing import Any

from attack import Attack
from programs import promote
from worlds import World

from poc import layout
from poc.rules.signoff import Reason
from poc.tools import ssh

TO_PRODUCTION = promote("production")


def _by(world: World, person: str) -> None:
    """Decide as somebody, with their own key."""
    world.sign("production", person)


def _with_the_key_of(world: World, person: str) -> None:
    """Decide as the one who holds the role, with somebody's key."""
    world.sign(key=person)


def _listed_for_the_signer(world: World, person: str) -> None:
    """List one person's key as the signer's, and let it sign: a builder's key under a name that may sign."""
    world.change_roles(builders=[{"email": "bo@example.com", "keys": [ssh.fingerprint_of_file(world.key("bo"))]}])
    lines = [*map(world.line, ("sam", "olga", "rae")), world.line(person, name="rae@example.com")]
    (world.trust / layout.ALLOWED_SIGNERS).write_text("".join(lines), encoding="utf-8")
    world.sign(key=person)


def _trained(world: World, address: str) -> None:
    """Let MLflow's run say who trained the model."""
    with world.entered():
        world.client().set_tag(world.versions[world.version]["run_id"], "poc.trained_by", address)
    world.sign("production", "sam", "sponsor", builders=["bo@example.com", address.lower()])


def _builds_too(world: World, address: str) -> None:
    """List somebody among the builders in the trust files."""
    world.change_roles(builders=[{"email": address}])


def _builder_as_deputy(world: World, address: str) -> None:
    """List somebody among the builders, and let the sponsor's deputy sign."""
    world.change_roles(builders=[{"email": address}])
    world.sign("production", "sid", "sponsor", on_behalf_of="sam@example.com", builders=["bo@example.com", address])


def _calling_oneself(world: World, address: str) -> None:
    world.sign(signer=address)


def _as_sponsor(world: World, person: str) -> None:
    world.sign("production", person, "sponsor")


def _named_as_deputy(world: World, deputies: dict[str, Any]) -> None:
    """Let the sponsor's deputy sign, whom the charter names, and the trust files perhaps."""
    world.change_roles(deputies=deputies)
    world.sign("production", "sid", "sponsor", on_behalf_of="sam@example.com")


def _standing_in(world: World, person: str) -> None:
    """Let somebody sign for the sponsor, whom the trust files name as a deputy."""
    world.change_roles(deputies={"sam@example.com": ["sid@example.com", "uma@example.com"]})
    world.sign("production", person, "sponsor", on_behalf_of="sam@example.com")


def _held(world: World, people: list[str]) -> None:
    """Say in the trust files who has the role."""
    roles = json.loads((world.trust / layout.ROLES).read_text(encoding="utf-8"))
    world.change_roles(people=roles["people"] | {"risk": people})


ATTACKS = (
    Attack(name="builder as himself", lay=_by, control="rae", attack="bo",
           through=TO_PRODUCTION, reason=Reason.SIGNED_BY_BUILDER, guard="signer_is_no_builder"),
    Attack(name="builder as sponsor: his key under the sponsor's name", lay=_with_the_key_of, control="rae", attack="bo",
           through=TO_PRODUCTION, reason=Reason.SIGNED_WITH_BUILDERS_KEY, guard="key_is_no_builders"),
    Attack(name="builder under an alias: his key listed for another address", lay=_listed_for_the_signer, control="rae", attack="bo",
           through=TO_PRODUCTION, reason=Reason.SIGNED_WITH_BUILDERS_KEY, guard="key_is_no_builders"),
    Attack(name="sponsor who trained the model", lay=_trained, control="bo@example.com", attack="SAM@example.com",
           through=TO_PRODUCTION, reason=Reason.SIGNED_BY_BUILDER, guard="signer_is_no_builder"),
    Attack(name="sponsor whom the trust files know as a builder", lay=_builds_too, control="Bo@Example.com", attack="Sam@Example.com",
           through=TO_PRODUCTION, reason=Reason.SIGNED_BY_BUILDER, guard="signer_is_no_builder"),
    Attack(name="a builder whom the decision does not name", lay=_builds_too, control="bo@example.com", attack="al@example.com",
           through=TO_PRODUCTION, reason=Reason.BUILDERS_DIFFER, guard="builders_are_named"),
    Attack(name="somebody signs in a role of another's", lay=_as_sponsor, control="sam", attack="rae",
           through=TO_PRODUCTION, reason=Reason.ROLE_NOT_HELD, guard="signer_holds_the_role"),
    Attack(name="a role that the charter gives, and the trust files do not", lay=_held, control=["rae@example.com"], attack=["uma@example.com"],
           through=TO_PRODUCTION, reason=Reason.ROLE_NOT_HELD, guard="signer_holds_the_role"),
    Attack(name="signer's address in capitals", lay=_calling_oneself, control="rae@example.com", attack="RAE@example.com",
           through=TO_PRODUCTION, reason=Reason.ROLE_NOT_HELD, guard="signer_holds_the_role"),
    Attack(name="deputy who builds", lay=_builder_as_deputy, control="bo@example.com", attack="sid@example.com",
           through=TO_PRODUCTION, reason=Reason.SIGNED_BY_BUILDER, guard="signer_is_no_builder"),
    Attack(name="deputy named by the charter only", lay=_named_as_deputy, control={"sam@example.com": ["sid@example.com"]}, attack={},
           through=TO_PRODUCTION, reason=Reason.NOT_THE_DEPUTY, guard="signer_holds_the_role"),
    Attack(name="deputy named by the trust files only", lay=_standing_in, control="sid", attack="uma",
           through=TO_PRODUCTION, reason=Reason.NOT_THE_DEPUTY, guard="signer_holds_the_role"),
)  # fmt: skip
