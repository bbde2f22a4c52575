"""Findings and checks that a team lives with for a while: each with its reason and its last day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.check_items import CHECKS
from placet.diagnostics import Diagnostic
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.compile.findings import Findings
    from placet.formats.asl.calls import Element
    from placet.sidecar.states import States
    from placet.source import Span
    from placet.syntax import ast

NEVER = frozenset(("safe",))  # nothing that is said of a net with several tokens on a place would mean anything


class Waived(NamedTuple):
    """One waiver that holds today. `state` is the state whose findings it means, or None for all of them."""

    what: str
    state: Element | None
    reason: str
    until: str
    span: Span


def today() -> str:
    """The day on which waivers are looked at."""
    import datetime

    return datetime.date.today().isoformat()  # noqa: DTZ011 - the day where the user is


def waived(waiver: ast.Waiver, states: States, findings: Findings) -> Waived | None:
    """A waiver, or None where it is wrong (P808) or over (P809)."""
    what = waiver.what.text
    state = None
    if waiver.state is not None:
        state = states.find(waiver.state)
        if state is None:
            return None
    code = what[:1] == "P" and what[1:].isdigit() and len(what) == 4
    if not code and what not in CHECKS:
        help_ = findings.meant(
            what, CHECKS, "name a check, such as `no_dead_step`, or the code of a finding, such as `P552`"
        )
        findings.add("P808", f"there is no finding or check `{what}` to waive", waiver.what.span, help=help_)
        return None
    if not code and state is not None:
        message = f"`{what}` is asked of the whole, so it cannot be waived for one state"
        findings.add("P808", message, waiver.span, help="leave `at` out, or waive the code of a finding")
        return None
    if what in NEVER:
        message = f"`{what}` cannot be waived: without it the other answers would mean nothing"
        findings.add("P808", message, waiver.what.span)
        return None
    if not waiver.reason.text.strip():
        findings.add("P808", "a waiver needs a reason", waiver.reason.span, help="say why this can wait, and for whom")
        return None
    if waiver.until is None:
        help_ = "write the day by which it is mended: `until 2027-01-31`"
        findings.add("P808", "a waiver needs a last day", waiver.span, help=help_)
        return None
    until = waiver.until.text
    if not _is_day(until):
        findings.add("P808", f"`{until}` is no day", waiver.until.span, help="write it as in `2027-01-31`")
        return None
    if until < today():
        help_ = "mend what it waives, or give it a new day with a new reason"
        message = f"the waiver of `{what}` was over on {until}, and is not heeded"
        findings.add("P809", message, waiver.span, severity="warning", help=help_)
        return None
    return Waived(what, state, waiver.reason.text, until, waiver.span)


def _is_day(text: str) -> bool:
    import datetime

    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def without_waived(diagnostics: tuple[Diagnostic, ...], waivers: list[Waived]) -> tuple[Diagnostic, ...]:
    """The findings, those that are waived as notes that say why, and a word on each waiver that waives nothing."""
    found: list[Diagnostic] = []
    used: set[int] = set()
    for diagnostic in diagnostics:
        number = next((n for n, w in enumerate(waivers) if _means(w, diagnostic)), -1)
        if number < 0:
            found.append(diagnostic)
            continue
        used.add(number)
        waiver = waivers[number]
        living = f"until {waiver.until}: {waiver.reason}"
        found.append(diagnostic._replace(severity="note", waived=living))
    for number, waiver in enumerate(waivers):
        if number not in used and waiver.what not in CHECKS:
            help_ = "remove it"
            where = f" at `{waiver.state.name}`" if waiver.state is not None else ""
            message = f"there is no finding `{waiver.what}`{where} that this could waive"
            found.append(Diagnostic("P810", "warning", message, waiver.span, help=help_))
    return tuple(found)


def _means(waiver: Waived, diagnostic: Diagnostic) -> bool:
    if waiver.what != diagnostic.code or diagnostic.severity == "error":
        return False
    if waiver.state is None:
        return True
    span, state = diagnostic.span, waiver.state.state
    return span is not None and state.key[0] <= span.start < max(state.node.end, state.key[1])
