"""What a request to the sign-off page must be, and what a browser and an authenticator say of a passkey."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from poc.rules.signoff.reasons import Finding, Reason, check
from poc.rules.signoff.sshsig import USER_PRESENT, USER_VERIFIED

PAGE = "the sign-off page"
BROWSER = "the browser's answer"
#: A request holds a choice, or a passkey's answer; the longest of them has about 2 kB.
MOST_BODY_BYTES = 16_384
OPEN_ANEW = "open the page anew, and try once more"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a browser says of a request before its body: headers, empty where they are not there, and the token twice, in a cookie and in a header."""

    host: str
    origin: str = ""
    fetch_site: str = ""
    content_type: str = ""
    cookie_token: str = ""
    header_token: str = ""


@check
def host_is_ours(request: Request, origin: str) -> list[Finding]:
    """Refuse a request for another host: a name of somebody else's that was pointed at this server."""
    ours = origin.partition("://")[2]
    if request.host.lower() == ours:
        return []
    return [Finding(reason=Reason.OTHER_HOST, what=f"it was asked for {request.host!r}; this page is on {origin}", where=PAGE, fix=f"open it on {origin}")]


@check
def origin_is_ours(request: Request, origin: str) -> list[Finding]:
    """Refuse what another site's page sends, or what does not say which page sends it."""
    if request.origin == origin and request.fetch_site in ("", "same-origin"):
        return []
    return [Finding(reason=Reason.OTHER_ORIGIN, what=f"it was sent by a page of {request.origin or 'nobody'}, not by ours", where=PAGE, fix=OPEN_ANEW)]


@check
def tokens_agree(request: Request) -> list[Finding]:
    """Refuse what was not sent by a page that this browser got from here: such a page knows what the cookie holds, and no other site does."""
    if request.cookie_token and hmac.compare_digest(request.cookie_token.encode(), request.header_token.encode()):
        return []
    return [Finding(reason=Reason.NOT_FROM_THIS_PAGE, what="its token is not the one that this page was given", where=PAGE, fix=OPEN_ANEW)]


@check
def body_is_json(request: Request) -> list[Finding]:
    """Refuse what a form of another site could send without being asked first."""
    if request.content_type.partition(";")[0].strip().lower() == "application/json":
        return []
    return [Finding(reason=Reason.NOT_JSON, what=f"its type is {request.content_type or 'not said'}; it takes application/json", where=PAGE)]


@check
def body_is_small(length: int) -> list[Finding]:
    """Refuse a body that no choice and no passkey's answer needs."""
    if length <= MOST_BODY_BYTES:
        return []
    return [Finding(reason=Reason.TOO_LONG, what=f"its body has more than the {MOST_BODY_BYTES:,} bytes that it may have", where=PAGE)]


@check
def link_is_new(given: str, expected: str | None) -> list[Finding]:
    """Refuse a link that was opened before, or that nobody was given; `expected` is None once it was opened."""
    if expected is not None and hmac.compare_digest(given.encode(), expected.encode()):
        return []
    what = "this link was opened before: it works once" if expected is None else "this is not the link that the terminal shows"
    return [Finding(reason=Reason.LINK_USED, what=what, where=PAGE, fix="run the command again, and open the link that it prints")]


@check
def browser_has_the_link(cookie_token: str, sessions: frozenset[str]) -> list[Finding]:
    """Refuse a browser that did not come by the link."""
    if cookie_token in sessions:
        return []
    return [Finding(reason=Reason.LINK_USED, what="this browser did not come by the link that the terminal shows", where=PAGE, fix="open that link")]


@check
def is_still_prepared(found: object | None) -> list[Finding]:
    """Refuse an answer to what was not asked, was answered before, or was asked too long ago."""
    if found is not None:
        return []
    what = "what this answers was not asked here, was answered before, or was asked too long ago"
    return [Finding(reason=Reason.NOT_PREPARED, what=what, where=PAGE, fix=OPEN_ANEW)]


def from_base64url(text: object) -> bytes:
    """Read base64 as the web writes it: two other letters, no padding.

    Raises:
        ValueError: it is none.
    """
    if not isinstance(text, str):
        raise ValueError("this is no text")
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


@dataclass(frozen=True, kw_only=True)
class Noted:
    """What a browser notes of a request to a passkey: what for, the challenge, on which site, and whether inside of another site's page."""

    kind: str
    challenge: bytes
    origin: str
    is_framed: bool


@dataclass(frozen=True, kw_only=True)
class CreatedFacts:
    """What a browser and an authenticator say of a new passkey: its site by the digest of its name, and the authenticator's flags."""

    note: Noted
    site_sha256: str
    flags: int


@check
def passkey_is_new_here(facts: CreatedFacts, *, challenge: bytes, origin: str, rp_id: str) -> list[Finding]:
    """Refuse a passkey that was not made now, by this page, for this site."""
    wrong = []
    if facts.note.kind != "webauthn.create":
        wrong.append("it is not about a new passkey")
    if facts.note.challenge != challenge:
        wrong.append("it answers another request than this page's")
    if facts.note.origin != origin or facts.note.is_framed:
        wrong.append(f"it comes from {facts.note.origin}{' inside of another page' if facts.note.is_framed else ''}, not from {origin}")
    if facts.site_sha256 != hashlib.sha256(rp_id.encode()).hexdigest():
        wrong.append(f"the passkey is for another site than {rp_id}")
    return [Finding(reason=Reason.PASSKEY_ELSEWHERE, what=what, where=BROWSER) for what in wrong]


@check
def passkey_asks_who(facts: CreatedFacts) -> list[Finding]:
    """Refuse a passkey that asked for no finger, face or PIN."""
    if facts.flags & (USER_PRESENT | USER_VERIFIED) == USER_PRESENT | USER_VERIFIED:
        return []
    return [Finding(reason=Reason.PRESENCE_ONLY, what="this passkey did not ask who you are", where=BROWSER)]


@check
def answers_the_statement(note: Noted, *, challenge: bytes, origin: str) -> list[Finding]:
    """Refuse a passkey's answer to anything but the statement that was shown, or one that was given inside of another page."""
    wrong = []
    if note.kind != "webauthn.get" or note.challenge != challenge:
        wrong.append("it does not answer the statement that was shown")
    if note.origin != origin or note.is_framed:
        wrong.append(f"it was given on {note.origin}{' inside of another page' if note.is_framed else ''}, not on {origin}")
    return [Finding(reason=Reason.PASSKEY_ELSEWHERE, what=what, where=BROWSER) for what in wrong]


@check
def key_is_known(key: bytes | None, email: str) -> list[Finding]:
    """Refuse a passkey that the trust files do not give to the person who is said to sign."""
    if key is not None:
        return []
    return [Finding(reason=Reason.KEY_NOT_TRUSTED, what=f"this passkey is not listed for {email}", where=BROWSER)]


@check
def person_has_a_passkey(keys: Sequence[bytes], email: str, site: str) -> list[Finding]:
    """Refuse to prepare a statement for somebody who could not sign it here."""
    if keys:
        return []
    return [Finding(reason=Reason.KEY_NOT_TRUSTED, what=f"no passkey for {site} is listed for {email}", where=PAGE)]


@check
def nobody_decided_meanwhile(prepared: tuple[int, str], now: tuple[int, str]) -> list[Finding]:
    """Refuse a statement that follows on another decision than the ledger's last: somebody decided since it was shown."""
    if prepared == now:
        return []
    what = f"somebody decided while this was being signed: it was to be entry {prepared[0]}, and {now[0] - 1} lie there now"
    return [Finding(reason=Reason.LEDGER_FORKED, what=what, where=PAGE, fix=OPEN_ANEW)]


@check
def passkeys_work_here(site: str | None, origin: str, homes: Sequence[str]) -> list[Finding]:
    """Refuse a site for which the trust files take no passkey."""
    if site is not None:
        return []
    fix = f"have whoever keeps the trust files add {origin.partition('://')[2].partition(':')[0]} to passkeys in roles.yaml"
    return [Finding(reason=Reason.PASSKEY_ELSEWHERE, what=f"passkeys are taken from {', '.join(homes) or 'nowhere'}, not from {origin}", where=PAGE, fix=fix)]


@check
def model_is_the_charters(model: str, project: str) -> list[Finding]:
    """Refuse to show a version under a charter that is about another project: it would be signed under that one's name."""
    if model == project:
        return []
    return [Finding(reason=Reason.OTHER_PROJECT, what=f"the charter of this version of {model!a} is about {project}", where=PAGE)]
