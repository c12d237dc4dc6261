"""The numbers that a signer is shown, as they stand in the statement: worked out again from charter and verdict whenever it is verified."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from poc.rules.agreed_figures import percent as agreed_percent
from poc.rules.agreed_figures import plain, several
from poc.rules.agreed_figures import range_of as known_range
from poc.rules.charter import AmountCharter, BinaryCharter, Charter, Hardware, MulticlassCharter
from poc.rules.charter_fields import Known
from poc.rules.counts import LimitedShare, limited_shares
from poc.rules.evidence import MONEY, OF_THE_MACHINE, LimitVerdict, Verdict
from poc.rules.signoff.canonical import canonical
from poc.rules.words import allowed, amount, chance, clipped, figure, in_words, parted, percent, provenance, range_of

#: Pairs of words and a figure, in the order in which they are shown.
Shown = tuple[tuple[str, str], ...]
Pairs = list[tuple[str, str]]
#: Of a statement's bytes so many are left for figures, whatever addresses and reason it holds.
MOST_BYTES = 1_700
#: Signs of print, and letters that fall into no plain one and an accent, in letters that every terminal and every form of JSON writes alike.
PLAIN = str.maketrans(
    {"\N{MINUS SIGN}": "-", "\N{EN DASH}": "-", "\N{EM DASH}": "-", "\N{HORIZONTAL ELLIPSIS}": "...", "\N{EURO SIGN}": "EUR"}
    | dict.fromkeys("\u2018\u2019", "'")
    | dict.fromkeys("\u201c\u201d\u201e", '"')
    | {"\u00df": "ss", "\u00e6": "ae", "\u00c6": "Ae", "\u0153": "oe", "\u0152": "Oe", "\u00f8": "o", "\u00d8": "O", "\u0142": "l", "\u0141": "L"}
)


@dataclass(frozen=True, kw_only=True)
class _Room:
    """How many letters a text may have, and how many there may be of what there can be many of."""

    letters: int
    many: int

    def text(self, text: str) -> str:
        """Shorten somebody's sentence."""
        return _ascii(clipped(_ascii(text), self.letters))

    def name(self, text: str) -> str:
        """Shorten a name within a sentence."""
        return _ascii(clipped(_ascii(text), min(self.letters, 40)))

    def some(self, pairs: Sequence[tuple[str, str]], what: str, others: str) -> Pairs:
        """Keep the first pairs, and say how many more there are."""
        left = len(pairs) - self.many
        return list(pairs) if left <= 1 else [*pairs[: self.many], (f"{left} more {what}", others)]


#: The first in which everything fits is taken.
ROOMS = tuple(_Room(letters=letters, many=many) for letters, many in ((140, 12), (140, 6), (100, 5), (70, 4), (48, 3), (32, 2), (16, 1)))


def shown_of_charter(charter: Charter) -> Shown:
    """List what a charter asks to be agreed to: what is decided, what errors cost, the limits, what is excused, money and the day on which it ends."""
    return _fitting(lambda room: [_line(pair) for section in (_decision, _costs, _limits, _excuses, _timebox) for pair in section(charter, room)])


def shown_of_verdict(charter: Charter, verdict: Verdict, data_card: str = "") -> Shown:
    """List what a version is judged to be: verdict, money, each limit with its bounds, the worst first, what stays unproven, and what the rows are."""
    return _fitting(lambda room: [_line(pair) for pair in _judged(charter, verdict, data_card, room)])


def _fitting(pairs_in: Callable[[_Room], Pairs]) -> Shown:
    return next((tuple(pairs) for room in ROOMS if len(canonical(pairs := pairs_in(room))) <= MOST_BYTES or room is ROOMS[-1]), ())


def _line(pair: tuple[str, str]) -> tuple[str, str]:
    return _ascii(pair[0]), _ascii(pair[1])


def _ascii(text: str) -> str:
    """Write a text in letters that are what they look like: without accents, and what has no such form by its number."""
    plain_form = unicodedata.normalize("NFKD", text.translate(PLAIN))
    bare = "".join(letter for letter in plain_form if not unicodedata.combining(letter))
    return bare.encode("ascii", "backslashreplace").decode()


def _decision(charter: Charter, room: _Room) -> Iterator[tuple[str, str]]:
    yield "question", room.text(charter.decision.question)
    yield "who decides", room.text(charter.decision.decider)


def _costs(charter: Charter, room: _Room) -> Iterator[tuple[str, str]]:
    value = charter.value
    yield "decisions", f"{known_range(value.decisions_per_period)} a {value.period}"
    match charter:
        case BinaryCharter(value=costs):
            known = {"a miss": costs.cost_missed, "a false alarm": costs.cost_false_alarm, "a catch": costs.cost_per_catch}
            yield f"share of {room.name(charter.data.called[0])}", known_range_in_percent(costs.positive_share)
            yield from ((f"{what} costs", f"{known_range(cost)} {value.currency}") for what, cost in known.items())
        case MulticlassCharter(value=costs):
            yield from _mistakes(costs.costs, value.currency, room)
        case AmountCharter(value=costs):
            yield f"one of {room.name(costs.unit)} too many costs", f"{known_range(costs.cost_per_unit_over)} {value.currency}"
            yield f"one of {room.name(costs.unit)} too few costs", f"{known_range(costs.cost_per_unit_under)} {value.currency}"
    yield "run cost", f"{plain(value.run_cost_per_period)} {value.currency} a {value.period}"


def _mistakes(costs: Mapping[str, Mapping[str, Known]], currency: str, room: _Room) -> Pairs:
    """List what mistakes cost, the dearest first."""
    each = [(true, decided, cost) for true, row in costs.items() for decided, cost in row.items() if true != decided]
    dearest = sorted(each, key=lambda mistake: (-mistake[2].likely, mistake[0], mistake[1]))
    pairs = [(f"{room.name(true)} taken for {room.name(decided)} costs", f"{known_range(cost)} {currency}") for true, decided, cost in dearest]
    return room.some(pairs, "mistakes", "each is likely to cost no more")


def known_range_in_percent(known: Known) -> str:
    """Say between what and what a share lies, in per cent."""
    low, likely, high = (plain(share * 100) for share in (known.low, known.likely, known.high))
    return f"{low} %" if low == high else f"{low} to {high} % (most likely {likely})"


def _limits(charter: Charter, room: _Room) -> Iterator[tuple[str, str]]:
    limits, currency = charter.limits, charter.value.currency
    shares = sorted(limited_shares(charter), key=lambda share: share.limit)
    yield from room.some([(_name_of(share.name, room), f"at most {_share_of(charter, share, room)}") for share in shares], "limits", "none is tighter")
    yield "confidence", f"{agreed_percent(limits.confidence)}, each limit to be shown on rows that stay sealed"
    yield "p99 latency", f"at most {plain(limits.latency_p99_ms)} ms, at {plain(limits.arrivals_per_second)} calls a second"
    yield from room.some([("hardware", _hardware(each, room)) for each in limits.hardware], "machines", "in charter.yaml")
    yield "size", f"server at most {limits.memory_mb:,} MB, model at most {plain(limits.model_mb)} MB"
    yield "machines may cost", f"{plain(limits.monthly_budget)} {currency} a month"


def _share_of(charter: Charter, share: LimitedShare, room: _Room) -> str:
    among = charter.data.called[share.among == "negatives"] if isinstance(charter, BinaryCharter) else share.among
    tolerance = f", off by more than {plain(charter.limits.tolerance)} {room.name(charter.value.unit)}" if isinstance(charter, AmountCharter) else ""
    return f"{agreed_percent(Decimal(str(share.limit)))} of {room.name(among)}{tolerance}"


def _hardware(machine: Hardware, room: _Room) -> str:
    sets = f", {room.name(' '.join(machine.instruction_sets))}" if machine.instruction_sets else ""
    return f"{f'{machine.name}: ' if machine.name else ''}{machine.architecture}, {several(machine.cores, 'core')}, {machine.memory_mb:,} MB{sets}"


def _excuses(charter: Charter, room: _Room) -> Pairs:
    """List what a signature excuses: claims that no row shows."""
    repeat = [("excused: rows may repeat", charter.data.why_rows_may_repeat)]
    alone = [(f"excused: {room.name(each.name)} may decide alone", each.why_it_may_decide_alone) for each in charter.features]
    known = [(f"excused: {room.name(each.name)} is known in time", each.why_it_is_known_in_time) for each in charter.features]
    return room.some([(what, room.text(why)) for what, why in (*repeat, *alone, *known) if why], "excuses", "in charter.yaml, signed with it")


def _timebox(charter: Charter, room: _Room) -> Iterator[tuple[str, str]]:
    timebox, currency, period = charter.timebox, charter.value.currency, charter.value.period
    yield "least value", f"{plain(timebox.minimum_value_per_period)} {currency} a {period}"
    budget = sum((sprint.budget for sprint in timebox.sprints), Decimal(0))
    yield "budget", f"{plain(budget)} {currency} for {several(len(timebox.sprints), 'sprint')}"
    yield "ends on", str(timebox.decision_date)
    yield "looks allowed", str(timebox.looks)


def _judged(charter: Charter, verdict: Verdict, data_card: str, room: _Room) -> Iterator[tuple[str, str]]:
    money, unit = verdict.money, f"{verdict.money.currency} a {verdict.money.period}"
    bounds = f"{amount(money.per_period.low, signed=True)} to {amount(money.per_period.high, signed=True)}"
    yield "verdict", verdict.overall
    yield "money", f"{amount(money.per_period.middle, signed=True)} {unit} ({percent(money.level)} interval: {bounds})"
    yield "chance of a loss", chance(money.chance_of_loss)
    open_first = sorted(verdict.limits, key=lambda limit: ("NO-GO", "NOT PROVEN", "GO").index(limit.verdict))
    yield from room.some([(_name_of(limit.name, room), _limit(limit)) for limit in open_first], "limits", _verdicts(open_first[room.many :]))
    yield from room.some([_machine(each, charter, verdict.limits, room) for each in charter.limits.hardware], "machines", "in verdict.json")
    yield "look", f"{verdict.look} of {verdict.looks_allowed}{' (counts of an earlier look)' if verdict.repeated else ''}"
    yield "not shown", "how the model ages, and that people act on it"
    yield "rows", room.text(provenance(data_card))


def _name_of(limit: str, room: _Room) -> str:
    name = in_words(limit)
    return "against today" if name == MONEY else room.name(name)


def _limit(limit: LimitVerdict) -> str:
    between = f" ({bounds})" if (bounds := range_of(limit)) else ""
    return f"{limit.verdict}: {figure(limit.measured, limit.unit)}{between}, {allowed(limit)}"


def _verdicts(limits: Sequence[LimitVerdict]) -> str:
    found = [limit.verdict for limit in limits]
    return ", ".join(f"{found.count(each)} {each}" for each in dict.fromkeys(found))


def _machine(machine: Hardware, charter: Charter, limits: Sequence[LimitVerdict], room: _Room) -> tuple[str, str]:
    """Say whether what is limited on a machine was shown on it."""
    target = machine.name if len(charter.limits.hardware) > 1 else ""
    open_ones = [limit for limit in limits if limit.verdict == "NOT PROVEN" and parted(limit.name)[0] in OF_THE_MACHINE and parted(limit.name)[1] == target]
    shown = "speed, memory and cost are judged on it" if not open_ones else f"NOT PROVEN: {room.text(open_ones[0].why)}"
    return f"on {_hardware(machine, room)}", shown
