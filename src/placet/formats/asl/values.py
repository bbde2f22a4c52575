"""The values that the tests of a Choice can tell apart: of every sort that there is at least one.

Two values that pass the same tests are one sort. Numbers, texts and times are cut at the constants that they are compared
with; texts that are held against patterns are found by a breadth-first search over all patterns at once.
"""

from __future__ import annotations

import math
import re
from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Literal, TypeAlias, Union

from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_STEPS = 20_000  # of the search for texts
MOST_VALUES = 500  # of one variable


Constant: TypeAlias = Union[str, float, bool, None]
Op: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">=", "matches", "present", "type", "true"]


class Test(NamedTuple):
    """A variable against a constant. `strict`: as JSONPath does it, else as JSONata. `time`: of texts that are times."""

    variable: str
    op: Op
    value: Constant
    strict: bool = False
    time: bool = False


class Other(Enum):
    """What is no text, number, time or truth value."""

    ABSENT = "absent"  # no value at all
    NULL = "null"
    TRUTHY = "truthy"  # a list or an object that JSONata takes for true
    FALSY = "falsy"


class Stamp(NamedTuple):
    """A text that is a time, in nanoseconds."""

    at: int


Value: TypeAlias = Union[str, float, bool, Stamp, Other, None]  # None: not known

ABSENT, NULL, TRUTHY, FALSY = Other.ABSENT, Other.NULL, Other.TRUTHY, Other.FALSY
ANY = "\0*"  # in the letters of a pattern: whatever there is
_ORDERS = frozenset(("<", "<=", ">", ">="))
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))")


def kind_of(value: Value) -> str:
    """The type of a value; a constant may be None, which is null."""
    if value is None or value is NULL:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, float):
        return "number"
    if isinstance(value, str):
        return "string"
    return "timestamp" if isinstance(value, Stamp) else value.value


def instant(text: str) -> int | None:
    """A time such as `2030-01-31T08:00:00Z` in nanoseconds; None where it is none."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    try:
        days = date(int(found[1]), int(found[2]), int(found[3])).toordinal()
    except ValueError:
        return None
    seconds = ((days * 24 + int(found[4])) * 60 + int(found[5])) * 60 + int(found[6])
    if found[8]:
        away = int(found[9]) * 3600 + int(found[10]) * 60
        seconds -= away if found[8] == "+" else -away
    return seconds * 10**9 + int((found[7] or "")[:9].ljust(9, "0"))


def representatives(tests: Iterable[Test]) -> tuple[Value, ...] | None:
    """A value of every sort that the tests of one variable tell apart; None where these are too many to look at."""
    found = list(tests)
    times = [t for t in found if t.time or (t.op == "type" and t.value == "timestamp")]
    texts = [t for t in found if isinstance(t.value, str) and not t.time and t.op not in ("type", "present")]
    if times and texts:
        return None  # a time is a text as well, and then either order says something
    numbers = [t.value for t in found if isinstance(t.value, float)]
    if any(t.op == "true" for t in found):
        numbers.append(0.0)
    strings = _strings(texts, empty=any(t.op == "true" for t in found))
    if strings is None:
        return None
    stamps = _stamps(times) if times else []
    values = (ABSENT, NULL, True, False, TRUTHY, FALSY, *_numbers(numbers), *strings, *stamps)
    return values if len(values) <= MOST_VALUES else None


def _numbers(constants: Sequence[float]) -> list[Value]:
    """The constants, and one number on each side of each."""
    if not constants:
        return [1.0]
    found = {math.nextafter(min(constants), -math.inf)}
    for constant in constants:
        found |= {constant, math.nextafter(constant, math.inf)}
    return sorted(found)  # type: ignore[return-value] # a list of them


def _stamps(tests: Sequence[Test]) -> list[Value]:
    constants = [at for t in tests if t.op != "type" if (at := instant(str(t.value))) is not None] or [0]
    found = {min(constants) - 1}
    for constant in constants:
        found |= {constant, constant + 1}
    return [Stamp(at) for at in sorted(found)]


def _strings(tests: Sequence[Test], *, empty: bool) -> Sequence[str] | None:
    """Texts of every sort; None where there are too many."""
    constants = {str(t.value) for t in tests if t.op != "matches"}
    patterns = sorted({str(t.value) for t in tests if t.op == "matches"})
    ordered = any(t.op in _ORDERS for t in tests)
    if empty:
        constants.add("")
    if patterns:
        return _matching(patterns, sorted(constants), ordered=ordered)
    if ordered:  # the next text after `a` is `a\0`
        return sorted({"", *constants, *(c + "\0" for c in constants)})
    return [*sorted(constants), "\x01" * (1 + max(map(len, constants), default=0))]


# -- patterns


def letters_of(pattern: str) -> tuple[str, ...]:
    """The letters of a pattern; `*` is ANY, and a star where a backslash stands before it."""
    return tuple(ANY if part == "*" else part[-1] for part in re.findall(r"\\\*|.", pattern, re.DOTALL))


def fits(pattern: str, text: str) -> bool:
    """Whether a text fits a pattern with `*` for anything (behind a backslash it is a star). O(len(text)) for each part."""
    parts = "".join("\0\0" if letter == ANY else letter for letter in letters_of(pattern)).split("\0\0")
    if len(parts) == 1:
        return text == parts[0]
    first, last = parts[0], parts[-1]
    if not text.startswith(first) or not text.endswith(last) or len(text) < len(first) + len(last):
        return False
    at, end = len(first), len(text) - len(last)
    for part in parts[1:-1]:
        found = text.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


class _Glob:
    """A pattern as an automaton; a state of it is the set of places in it that a text can have come to."""

    def __init__(self, pattern: str) -> None:
        self.letters = letters_of(pattern)
        self.first = self.through({0})

    def through(self, places: set[int]) -> frozenset[int]:
        """Stars may stand for nothing."""
        for place in list(places):
            at = place
            while at < len(self.letters) and self.letters[at] == ANY:
                at += 1
                places.add(at)
        return frozenset(places)

    def after(self, places: frozenset[int], letter: str) -> frozenset[int]:
        found = set()
        for place in places:
            if place < len(self.letters):
                if self.letters[place] == ANY:
                    found.add(place)
                elif self.letters[place] == letter:
                    found.add(place + 1)
        return self.through(found)

    def says(self, places: frozenset[int]) -> bool:
        return len(self.letters) in places


class _Against:
    """A constant as an automaton: how many letters agree, or (-1, -2) that the text comes before it or after it."""

    first = 0

    def __init__(self, constant: str) -> None:
        self.constant = constant

    def after(self, place: int, letter: str) -> int:
        if place < 0:
            return place
        if place == len(self.constant):
            return -2
        wanted = self.constant[place]
        return place + 1 if letter == wanted else -1 if letter < wanted else -2

    def says(self, place: int) -> str:
        return ">" if place == -2 else "=" if place == len(self.constant) else "<"


def _matching(patterns: Sequence[str], constants: Sequence[str], *, ordered: bool) -> Sequence[str] | None:
    """Texts of every sort that patterns and constants tell apart."""
    machines: list[_Glob | _Against] = [*map(_Glob, patterns), *map(_Against, constants)]
    written = {letter for glob in machines if isinstance(glob, _Glob) for letter in glob.letters if letter != ANY}
    written |= set("".join(constants))
    others = [chr(n) for n in range(1, 40) if chr(n) not in written][:1]
    if ordered:  # a letter in every gap, as far as letters go
        others = ["\0", *(chr(ord(c) + 1) for c in written if ord(c) < 0x10FFFF)]
    alphabet = sorted({*written, *others})
    begin = tuple(m.first for m in machines)
    known = {begin: ""}
    found: dict[tuple[bool | str, ...], str] = {}
    pending = [begin]
    steps = 0
    for state in pending:
        text = known[state]
        found.setdefault(tuple(m.says(at) for m, at in zip(machines, state, strict=True)), text)  # type: ignore[arg-type]
        steps += len(alphabet) * len(machines)
        if steps > MOST_STEPS:
            return None
        for letter in alphabet:
            after = tuple(m.after(at, letter) for m, at in zip(machines, state, strict=True))  # type: ignore[arg-type]
            if after not in known:
                known[after] = text + letter
                pending.append(after)
    return list(found.values())
