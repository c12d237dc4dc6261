"""Whether a charter's stages can ever be signed: what every verifier would refuse later is refused here, before anybody builds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from poc.errors import Problem
from poc.rules.charter import Charter


def signable(charter: Charter) -> Iterator[Problem]:
    """Check that each stage has somebody who may sign it, and that who builds is known; the sponsor is looked at elsewhere."""
    builders = {person.email.lower() for person in charter.people if person.role == "builder"}
    if not builders:
        yield Problem(
            what="nobody has the role builder: anybody could have built what they sign", where="people", fix="name whoever builds, with the role builder"
        )
    yield from _holders(charter, builders)
    yield from _deputies(charter, builders)
    for number, stage in enumerate(charter.stages):
        for role, times in Counter(stage.signers).items():
            if times > 1:
                yield Problem(what=f"{role} signs stage {stage.name} {times} times", where=f"stages.{number}.signers", fix="name each role once")


def _holders(charter: Charter, builders: set[str]) -> Iterator[Problem]:
    """Refuse a role that has to sign and that only builders hold."""
    asked = {role for stage in charter.stages for role in stage.signers} - {"sponsor"}
    for role in sorted(asked):
        held = [number for number, person in enumerate(charter.people) if person.role == role]
        if all(charter.people[number].email.lower() in builders for number in held):
            for number in held:
                yield Problem(
                    what=f"{charter.people[number].name} is {role} and builder, and nobody else is {role}: nobody signs off their own work",
                    where=f"people.{number}.email",
                    fix=f"name another {role}, or another builder",
                )


def _deputies(charter: Charter, builders: set[str]) -> Iterator[Problem]:
    """Refuse a deputy who could never stand in."""
    for number, person in enumerate(charter.people):
        deputy = (person.deputy or "").lower()
        if deputy == person.email.lower():
            yield Problem(what=f"{person.name} stands in for {person.name}", where=f"people.{number}.deputy", fix="name somebody else, or leave it out")
        elif deputy in builders and person.role != "sponsor":
            yield Problem(
                what=f"{person.deputy} stands in for {person.name} and is a builder: nobody signs off their own work",
                where=f"people.{number}.deputy",
                fix="name another deputy",
            )
