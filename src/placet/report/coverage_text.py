"""Coverage on a terminal: the counts, the matrix of steps and faults, and what is missing, by what is wrong and where."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.report.coverage_tables import summary
from placet.report.coverage_words import KINDS, broken, scenario, span_of
from placet.report.style import PLAIN, columns, pad, wrap
from placet.report.words import clean, counted, quoted, resting_on, short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.coverage.measure import Measured
    from placet.coverage.obligations import Obligation
    from placet.report.report import CheckReport, CoverageReport
    from placet.report.style import Style

EACH = 5  # scenarios that are listed of each thing that is wrong
WHOLE = "whole saga"


def render(check: CheckReport, measured: Measured, style: Style = PLAIN) -> list[str]:
    """All that fits on a screen: what was counted, under which faults, and what is not survived."""
    found = check.coverage
    assert found is not None, "the entry of a coverage check has it"
    subject = measured.compiled.subject
    lines = wrap(summary(found, subject), style.width)
    basis = resting_on(check.assumptions)
    if basis:
        lines += wrap(basis, style.width, "  ")
    for choices in check.assumptions.choices:
        lines += wrap(f"saga {choices}", style.width, "  ")
    if check.outcome == "inconclusive":
        lines += wrap(check.message, style.width, "  ")
        lines += [f"  raise the budget with {check.option}"] if check.option else []
    if check.vacuous:
        lines += wrap(f"warning: proves nothing here, {check.vacuous}", style.width, "  ")
    if found.matrix:
        lines += ["", *matrix_lines(found, style.width)]
    missing = list(measured.coverage.missing())
    if missing:
        lines += ["", *missing_lines(measured, missing, style.width)]
    return lines


def matrix_lines(found: CoverageReport, width: int = 100) -> list[str]:
    """Steps against kinds of faults: covered of owed, marked where something is missing; in blocks where it is wide."""
    heads = [KINDS.get(kind, kind) for kind in found.kinds]
    table = [["", *heads]]
    for step, cells in found.matrix:
        name = clean(short(step)) if step else WHOLE
        table.append([name, *(f"{c}/{n}{' !' if c < n else '  '}" if n else "" for c, n in cells)])
    widths = [max(columns(row[i]) for row in table) for i in range(len(table[0]))]
    lines = ["  what is owed, by step and by fault that occurs in it: covered/owed (`!`: some is not covered)"]
    first = 1
    while first < len(widths):
        used, last = 4 + widths[0], first
        while last < len(widths) and (last == first or used + 2 + widths[last] <= width):
            used += 2 + widths[last]
            last += 1
        lines += [""] if first > 1 else []
        for row in table:
            cells_ = [pad(row[0], widths[0]), *(row[i].rjust(widths[i]) for i in range(first, last))]
            lines.append("    " + "  ".join(cells_).rstrip())
        first = last
    return lines


def missing_lines(measured: Measured, missing: Sequence[Obligation], width: int) -> list[str]:
    """What is not covered: for each family and step what is wrong and where it stands, then its shortest scenarios."""
    groups: dict[tuple[str, str], list[Obligation]] = {}
    for o in missing:
        groups.setdefault((o.family, o.step), []).append(o)
    lines = ["not covered:"]
    for (family, step), found in sorted(groups.items(), key=lambda item: -len(item[1])):
        span = span_of(measured.compiled, step)
        where = f", {clean(span.source.path)}:{span.line}" if span is not None else ""
        lines += ["", f"  {family}{f' of {quoted(short(step))}' if step else ''}{where}"]
        lines += wrap(broken(measured, family, step), width, "    ")
        found.sort(key=lambda o: len(o.faults))
        for o in found[:EACH]:
            lines += wrap(scenario(measured.coverage, o), width, "    - ", "      ")
        if len(found) > EACH:
            lines.append(f"    and {counted(len(found) - EACH, 'more scenario')}: `--all` lists them")
    return lines
