"""Words that every output shares: safe names, lists, counts, and what a verdict rests on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.evidence import Assumptions

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
# What reorders or hides text on a terminal, beside the control characters.
_HIDING = frozenset([*range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x2070), 0xFEFF, 0x061C])


def clean(text: str) -> str:
    """The text with every character that could move the cursor, break the line or reorder it written as an escape.

    Model files come from strangers: a name may hold terminal commands or Unicode direction overrides.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if _harmless(c) else _NAMED.get(c) or _escape(ord(c)) for c in text)


def _harmless(character: str) -> bool:
    return character.isprintable() and ord(character) not in _HIDING


def _escape(code: int) -> str:
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def quoted(name: str) -> str:
    """The name in backticks, as messages show it."""
    return f"`{clean(name)}`"


def short(identifier: str) -> str:
    """The last name of a path of names: `trip/choice[stock]/flight~2` is `flight`, `x/end(rejected)` is `rejected`.

    The second round or instance of a step, `trip/flight[2]`, is `flight[2]`; a way of a decision, `choice[stock][none]`, is `none`.
    """
    last = identifier.rpartition("/")[2].partition("#")[0] or identifier
    suffix = ""
    while last.endswith("]") and last.rpartition("[")[2][:-1].isdecimal() and last.rpartition("[")[0]:
        last, _, number = last.rpartition("[")
        suffix = f"[{number}{suffix}"
    if "][" in last or ")[" in last:  # a way of a decision: `choice[stock][otherwise]`
        return last.rpartition("[")[2].rstrip("]") + suffix
    for opening, closing in (("(", ")"), ("[", "]")):
        inner = last.partition(opening)[2]
        if inner and closing in inner:
            return inner[: inner.rindex(closing)] or last
    return (last.partition("~")[0] or last) + suffix


def listed(items: Sequence[str], last: str = "and", most: int = 6) -> str:
    """`a`, `a and b`, `a, b and c`; more than `most` end in how many are left out."""
    if len(items) > most:
        return f"{', '.join(items[: most - 1])} {last} {len(items) - most + 1} more"
    if len(items) < 2:
        return items[0] if items else ""
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def counted(number: int, one: str, many: str = "") -> str:
    """`1 model`, `2 models`; what nobody reads digit by digit is told by its size: `1.27 * 10^476 situations`."""
    told = str(number) if number < 10**15 else f"{number:.2e}" if number < 10**300 else _by_size(number)
    if "e+" in told:
        told = told.replace("e+", " * 10^")
    return f"{told} {one if number == 1 else many or one + 's'}"


def _by_size(number: int) -> str:
    """Of a number that no floating-point number can be."""
    from math import log10

    power = int((number.bit_length() - 60) * log10(2))
    mantissa = log10(number // 10**power)
    return f"{10 ** (mantissa % 1):.2f} * 10^{power + int(mantissa)}"


def sentence(clause: str) -> str:
    """The clause with a capital letter, unless it starts with a name in backticks."""
    return clause[:1].upper() + clause[1:]


def resting_on(assumptions: Assumptions) -> str:
    """What a verdict rests on: `for 3 attempts, under lost, reject at most 1, guards free`; empty for nothing."""
    parts: list[str] = []
    if assumptions.bounds:
        parts.append("for " + listed(list(dict.fromkeys(_bound(name, count) for name, count in assumptions.bounds))))
    if assumptions.unjustified_bounds:
        parts.append("bounds not justified")
    if assumptions.faults:
        parts.append(f"under {', '.join(assumptions.faults)} at most {assumptions.fault_budget}")
    if assumptions.guarantees:
        parts.append(trusting(assumptions.guarantees))
    if assumptions.free_guards or assumptions.decisions:
        parts.append("guards free")
    if assumptions.time_ignored:
        parts.append("time ignored")
    if assumptions.environment == "closed":
        parts.append("nothing arrives from outside")
    if assumptions.fairness:
        parts.append(f"assuming {_FAIRNESS.get(assumptions.fairness, assumptions.fairness)}")
    if assumptions.final:
        parts.append(f"final markings: {clean(assumptions.final)}")
    return ", ".join(parts)


_FAIRNESS = {
    "edges": "fair choices",
    "strong": "strong fairness",
    "weak": "weak fairness",
    "nothing": "no fairness",
}


def trusting(guarantees: Sequence[str]) -> str:
    """What the participants are trusted to do, by service: `trusting flights (idempotent, null_safe)`."""
    found: dict[str, list[str]] = {}
    for guarantee in guarantees:
        service, _, what = guarantee.rpartition(": ")
        found.setdefault(clean(service), []).append(clean(what))
    parts = [
        f"{service} ({', '.join(what)})" if service else "that " + " and that ".join(what)
        for service, what in found.items()
    ]
    return "trusting " + listed(parts)


def _bound(name: str, count: int) -> str:
    """A parameter is `N = 3`, a word is counted, and the path of a loop or a retry says what is repeated."""
    if "#signal." in name:
        return f"{counted(count, 'arrival')} of {quoted(name.rpartition('#signal.')[2])}"
    if name.endswith("#runs"):
        return f"{counted(count, 'run')} of {quoted(short(name.removesuffix('#runs')))}"
    if name.endswith("#arrivals"):
        word = name[name.rfind("[on ") + 4 : name.rfind("]")]
        what = "arrival" if word.startswith("signal ") else "run"
        return f"{counted(count, what)} of {quoted(word.removeprefix('signal '))}"
    if "/" in name or "#" in name:
        what = "retries" if "#retry" in name else "rounds"
        whose = "the loop around " if "/loop(" in name else ""  # a loop without a name is called by what it holds
        return f"{count} {what} of {whose}{quoted(short(name))}"
    return f"{clean(name)} = {count}" if len(name) == 1 or name.isupper() else f"{count} {clean(name)}"
