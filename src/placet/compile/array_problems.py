"""What can be wrong with arrays: numbers that make no sense, members that are not there, names that something else has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.array_numbers import described
from placet.compile.findings import figures

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placet.compile.findings import Findings
    from placet.source import Span
    from placet.syntax import ast
    from placet.syntax.indices import IndexProblem

MOST_MEMBERS = 10_000  # of one array


class ArrayProblems:
    """The arrays of one file, as far as something is said of them. `params` are the numbers that its parameters stand for."""

    def __init__(self, params: Mapping[str, int], findings: Findings) -> None:
        self._params = params
        self._findings = findings
        self._members: dict[str, dict[str, set[tuple[int, ...]]]] = {}  # name -> owner -> the numbers of its members
        self._plain: dict[str, dict[str, Span]] = {}  # name -> owner -> where something without brackets has it
        self._uses: dict[tuple[str, str, tuple[int, ...]], Span] = {}
        self._said: set[tuple[int, int]] = set()

    def _bound(self, number: ast.Number) -> int | None:
        if not number.name:
            return number.value
        found = self._params.get(number.name)
        if found is None:
            help_ = self._findings.meant(number.name, self._params, f"declare it: `param {number.name} = 3`")
            self._say("P264", f"no parameter is called `{number.name}`", number.span, help_)
        return found

    def _sensible(self, low: int, high: int, span: Span) -> bool:
        if low < 0:
            self._say("P266", "no member has a number below 0", span, "count from 0 or 1")
        elif high < low:
            self._say(
                "P266",
                f"there is no member: {low} is more than {high}",
                span,
                "the smaller number comes first, as in `1..3`",
            )
        else:
            return self._few([high - low + 1], span)
        return False

    def _few(self, counts: list[int], span: Span) -> bool:
        total = 1
        for count in counts:
            total *= count
        if total <= MOST_MEMBERS:
            return True
        shown_ = f"{counts[0]:,}" if len(counts) == 1 else figures([c for c in counts if c != 1])
        self._say("P266", f"{shown_} members are more than can be looked at", span, "two or three show what many show")
        return False

    def _within(self, name: ast.Name, start: int, end: int) -> Span:
        return name.span._replace(start=name.span.start + start, end=name.span.start + max(end, start + 1))

    def _problem(self, name: ast.Name, problem: IndexProblem, numbers: Mapping[str, int]) -> None:
        help_ = problem.help
        if problem.unknown:
            help_ = self._findings.meant(
                problem.unknown, (*numbers, *self._params), f"declare it: `param {problem.unknown} = 3`"
            )
        self._say("P266", problem.message, self._within(name, problem.start, problem.end), help_)

    def _say(self, code: str, message: str, span: Span, help_: str) -> None:
        if (span.start, span.end) not in self._said:  # once, for however many members
            self._said.add((span.start, span.end))
            self._findings.add(code, message, span, help=help_)

    def _check_uses(self) -> None:
        """Every index against the arrays of its name; one that nothing declares as an array is somebody else's matter."""
        for name, owners in self._members.items():
            for owner in owners.keys() & self._plain.get(name, {}).keys():
                message = f"`{name}` is an array, and something else is called so too"
                self._say("P266", message, self._plain[name][owner], "give one of them another name")
        for (owner, name, own), span in self._uses.items():
            arrays = self._members.get(name, {})
            near = [arrays[o] for o in (owner, "") if o in arrays] if owner else list(arrays.values())
            if near and not any(own in members for members in near):
                brackets = "".join(f"[{n}]" for n in own)
                self._say(
                    "P266",
                    f"there is no `{name}{brackets}`: {described(name, near[0])}",
                    span,
                    "use one of its members",
                )
