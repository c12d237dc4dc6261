"""Refuse bad answers before a file exists: all of them at once, each in a sentence.

The rules are those of the charter (`src/poc/rules/charter.py`), because hooks can be skipped and `poc charter` checks again.
"""

import json
import re
import sys
import unicodedata

# Two filters: the inner one writes JSON, the outer one makes a Python string of it. No answer can end that string.
ANSWERS: dict[str, str] = json.loads({{cookiecutter | tojson | tojson}})  # type: ignore[name-defined, arg-type]  # noqa: F821 - cookiecutter fills it in

SLUG = re.compile(r"[a-z][a-z0-9-]{1,38}[a-z0-9]")
EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
CURRENCY = re.compile(r"[A-Z]{3}")
SCENARIOS = ("production-line", "own-data")
ARCHITECTURES = ("x86_64", "arm64")
LENGTHS = {"decision": (15, 600), "sponsor_name": (1, 120), "sponsor_title": (1, 120)}
#: Line breaks and control characters change the files they land in, format characters (direction marks, zero-width spaces) how these read.
UNPRINTABLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
#: They shape letters of many scripts, and emoji: invisible anywhere else.
JOINERS = "\u200c\u200d"
JOINED = {"L", "M", "S"}
#: Letters and a symbol by category, blank on paper: fillers of Hangul, and the empty pattern of Braille.
BLANKS = "\u115f\u1160\u2800\u3164\uffa0"


def refusals(answers: dict[str, str]) -> list[str]:
    """Say what is wrong with the answers; nothing when all is well."""
    return [*_unreadable(answers), *_wrong_length(answers), *_malformed(answers), *_unknown(answers)]


def is_printable(text: str) -> bool:
    """Say whether all of a text can be seen, on one line; the charter's rules ask the same."""
    kinds = ["", *map(unicodedata.category, text), ""]
    return not any(
        letter in BLANKS or (kind in UNPRINTABLE and not (letter in JOINERS and before[:1] in JOINED and after[:1] in JOINED))
        for letter, before, kind, after in zip(text, kinds, kinds[1:], kinds[2:], strict=False)
    )


def _unreadable(answers: dict[str, str]) -> list[str]:
    found = []
    for question, answer in answers.items():
        if not question.startswith("_") and not is_printable(answer):
            found.append(f"{question} holds a line break or an invisible character; write it in one plain line.")
        elif question in (*LENGTHS, "sponsor_email") and answer.strip() and not any(map(str.isalnum, answer)):
            found.append(f"{question} {answer!r} holds no letter and no digit; write it in words.")
    return found


def _wrong_length(answers: dict[str, str]) -> list[str]:
    found = []
    for question, (least, most) in LENGTHS.items():
        length = len(answers[question].strip())
        if length == 0:
            found.append(f"{question} is empty; without it nobody knows what is decided, or by whom.")
        elif length < least:
            found.append(f"{question} has {length} characters; say it in at least {least}, so that a stranger understands it.")
        elif length > most:
            found.append(f"{question} has {length} characters; {most} are allowed.")
    return found


def _malformed(answers: dict[str, str]) -> list[str]:
    slug, email, currency = answers["project_slug"], answers["sponsor_email"], answers["currency"]
    found = []
    if not SLUG.fullmatch(slug):
        found.append(f"project_slug {slug!r} is not 3 to 40 lower-case letters, digits and hyphens that begin with a letter and end with a letter or digit.")
    if not EMAIL.fullmatch(email) or len(email) > 200:
        found.append(f"sponsor_email {email!r} is not an e-mail address such as alex.example@example.com.")
    if not CURRENCY.fullmatch(currency):
        found.append(f"currency {currency!r} is not a code of three capital letters such as EUR.")
    return found


def _unknown(answers: dict[str, str]) -> list[str]:
    allowed = {"scenario": SCENARIOS, "target_architecture": ARCHITECTURES}
    return [
        f"{question} {answers[question]!r} is unknown; choose {' or '.join(known)}." for question, known in allowed.items() if answers[question] not in known
    ]


def main() -> int:
    """Print every refusal; 1 stops cookiecutter, which then removes the folder it has made."""
    found = refusals(ANSWERS)
    for sentence in found:
        print(f"error: {sentence}", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
