"""Say figures and names as people read them: rounded, with their unit, in plain words."""

from __future__ import annotations

import math
import re
from decimal import Decimal

from poc.rules.charter import Charter
from poc.rules.evidence import MONEY, MONEY_AGAINST, OF_THE_MACHINE, ON, Interval, LimitVerdict, Outcome

MEANING: dict[Outcome, str] = {
    "GO": "every limit of the charter is shown to be met",
    "NO-GO": "at least one limit of the charter is shown to be broken",
    "NOT PROVEN": "no limit is shown to be broken, but not every limit is shown to be met",
}
#: What a sign says is said by the word beside it too.
SIGNS: dict[Outcome, str] = {"GO": "✓", "NO-GO": "✕", "NOT PROVEN": "?"}
#: A limit's name in plain words; the shares of errors are named after whom they are about, in `Judged.name_of`.
PLAIN = {
    "latency_p99": "slowest 1 % of answers (p99 latency)",
    "memory": "memory of the server",
    "model_size": "size of the model",
    "monthly_budget": "servers that the rate needs",
    MONEY: "money against today's process",
}
MINUS = "\u2212"
#: Between a figure and its unit no line may end.
UNBROKEN = "\u00a0"


def parted(limit: str) -> tuple[str, str]:
    """Part the name of a limit into its own and the target's that it was judged on, where the charter names several."""
    own, _, target = limit.partition(ON) if limit.startswith(OF_THE_MACHINE) else (limit, "", "")
    return own, target


def in_words(name: str) -> str:
    """Write a name without underscores."""
    return name.replace("_", " ")


def rounded(value: float) -> float:
    """Round to three digits: no estimate here is better known than that."""
    return float(f"{value:.3g}") if math.isfinite(value) else value


def roughly(value: float) -> float:
    """Round to two digits, for what is known as a mean of guessed ranges and no better."""
    return float(f"{value:.2g}") if math.isfinite(value) else value


def amount(value: float, *, signed: bool = False) -> str:
    """Say an estimate: three digits, thousands apart, a real minus."""
    if not math.isfinite(value):
        return "unknown"
    near = rounded(value)
    size = abs(near)
    text = f"{size / 1e6:,.12g} million" if size >= 1e6 else f"{size:,.0f}" if size >= 100 or size == int(size) else f"{size:.3g}"
    sign = MINUS if near < 0 else "+" if signed and near > 0 else ""
    return sign + text


def bounded(estimate: Interval, *, signed: bool = False) -> str:
    """Say an estimate and between what it lies."""
    if not math.isfinite(estimate.middle):
        return "not measured"
    low, middle, high = (amount(end, signed=signed) for end in (estimate.low, estimate.middle, estimate.high))
    return f"{middle} ({low} to {high})"


def count(cases: float) -> str:
    """Say about how many cases: no case is counted in part."""
    return f"{rounded(cases):,.0f}" if cases == 0 or cases >= 0.5 else "under 1"


def agreed(value: Decimal | float) -> str:
    """Say a figure that was agreed, to the cent where it has cents."""
    return f"{value:,.2f}".removesuffix(".00")


def percent(share: float) -> str:
    """Say a share: one decimal, two where there would be nothing left."""
    if not math.isfinite(share):
        return "unknown"
    hundredths = 100 * share
    near_an_end = round(min(hundredths, 100 - hundredths), 9)
    return f"{hundredths:.{2 if 0 < near_an_end < 0.1 else 1}f}".removesuffix(".0") + f"{UNBROKEN}%"


def chance(share: float) -> str:
    """Say a chance that was counted in draws, which never show that something cannot happen."""
    return f"under {percent(0.001)}" if share < 0.001 else f"over {percent(0.999)}" if share > 0.999 else percent(share)


def figure(value: float, unit: str) -> str:
    """Say a figure with its unit."""
    if unit == "share":
        return percent(value)
    return f"{amount(value)}{UNBROKEN}{unit}" if math.isfinite(value) else "not measured"


def confidence_of(charter: Charter) -> str:
    """Say how sure one bound is: with several looks each is surer, so that all of them together keep the confidence that was agreed."""
    agreed_on, looks = float(charter.limits.confidence), charter.timebox.looks
    if looks == 1:
        return f"at {percent(agreed_on)} confidence"
    return f"at {percent(1 - (1 - agreed_on) / looks)} confidence each, wider so that {looks} looks keep {percent(agreed_on)}"


def of_thousand(share: float) -> str:
    """Say how many of a thousand."""
    return f"{1000 * share:,.0f}" if share == 0 or share >= 0.0005 else "under 1"


def range_of(limit: LimitVerdict) -> str:
    """Say between which bounds a limit's true value lies; nothing where it was measured exactly."""
    if limit.low == limit.high or not (math.isfinite(limit.low) and math.isfinite(limit.high)):
        return ""
    low = percent(limit.low).removesuffix(f"{UNBROKEN}%") if limit.unit == "share" else amount(limit.low)
    return f"{low} to {figure(limit.high, limit.unit.partition(' ')[0])}"


def allowed(limit: LimitVerdict) -> str:
    """Say what the charter allows; that a model has to beat what needs none is asked of every charter."""
    if limit.name.startswith(MONEY_AGAINST):
        return "more than 0, always"
    if limit.name == MONEY:
        return f"at least {agreed(limit.limit)}{UNBROKEN}{limit.unit}" if limit.limit else f"more than 0{UNBROKEN}{limit.unit}"
    return f"at most {figure(limit.limit, limit.unit)}"


def listed(names: list[str], word: str = "and") -> str:
    """Write names as a sentence does: a, b and c."""
    return f" {word} ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def on_one_line(text: str) -> str:
    """Put one blank wherever there is room between words, and leave what may not be broken."""
    return re.sub(r"[^\S\u00a0]+", " ", text.strip())


def clipped(text: str, letters: int) -> str:
    """Cut a text after a whole word, so that the page stays one page; what was cut stands in the charter or the data card."""
    text = on_one_line(text)
    if len(text) <= letters:
        return text
    cut = text[: letters - 1].rsplit(" ", 1)[0] if " " in text[: letters - 1] else text[: letters - 1]
    return cut.rstrip(" .,;:") + "…"


def sentence(text: str) -> str:
    """Begin with a capital letter and end with a full stop."""
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?", "…")) else ".")


def provenance(data_card: str | None) -> str:
    """Return a data card's first paragraph, which says what the rows are, without Markdown's emphasis."""
    paragraphs = [" ".join(paragraph.split()) for paragraph in (data_card or "").split("\n\n")]
    said = next((text for text in paragraphs if text and not text.startswith(("#", "|", "<"))), "No data card says what the rows are and where they come from.")
    return said.replace("**", "").replace("`", "")
