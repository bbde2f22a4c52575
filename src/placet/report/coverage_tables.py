"""Coverage for a reviewer: the obligations as a table, the matrix as markdown and SVG, the experiments as a plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from placet.report.coverage_words import KINDS, cause_words, percent
from placet.report.words import clean, counted, short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.coverage.exercised import Experiment
    from placet.coverage.obligations import Coverage, Obligation
    from placet.report.report import CoverageReport

PLAN = "placet.experiments/1"
_LIMIT = 60_000  # characters of markdown: a comment on a pull request takes 65,536


def table(coverage: Coverage, obligations: Sequence[Obligation]) -> list[str]:
    """A line for each obligation, in columns."""
    rows = [("status", "family", "step", "how far it had got", "faults, in order")]
    rows += [
        (
            o.status.value,
            o.family,
            clean(short(o.step)) if o.step else "whole saga",
            o.phase,
            faults(coverage, o.faults),
        )
        for o in obligations
    ]
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    return ["  ".join([*(row[i].ljust(widths[i]) for i in range(4)), row[4]]).rstrip() for row in rows]


def faults(coverage: Coverage, numbers: Sequence[int]) -> str:
    """The faults of a scenario, in order."""
    return ", then ".join(cause_words(coverage.causes[f]) for f in numbers) or "none"


def summary(found: CoverageReport, subject: str) -> str:
    """One sentence with the counts, CC and XC; no percentage where not every run was looked at."""
    text = f"{clean(subject)}: {found.covered} of {counted(found.feasible, 'obligation')} covered"
    if found.feasible and found.complete:
        text += f", CC = {percent(found.covered, found.feasible)}"
    if found.by_escalation:
        text += f" ({found.by_escalation} by calling a person)"
    if not found.complete:
        text += f"; {found.undecided} undecided, and there may be more"
    if found.exercised is not None and found.feasible:
        text += f"; {found.exercised} exercised by recorded runs"
        if found.complete:
            text += f", XC = {percent(found.exercised, found.feasible)}"
    return text


def markdown(found: CoverageReport, subject: str) -> str:
    """The counts, the matrix and what is not survived, for a pull request; under 65,536 characters."""
    heads = [KINDS.get(kind, kind) for kind in found.kinds]
    lines = [
        f"### Compensation coverage of `{_cell(subject)}`",
        "",
        summary(found, subject) + ".",
        "",
        f"Faults: {', '.join(found.faults) or 'none'}; at most {found.budget} in a run."
        + (f" Level {found.level}." if found.level else ""),
        "",
        "| step | " + " | ".join(heads) + " |",
        "|---|" + "---:|" * len(heads),
    ]
    for step, cells in found.matrix:
        shown = [f"{c}/{n}" + (" :warning:" if c < n else "") if n else "" for c, n in cells]
        lines.append(f"| {_cell(short(step)) if step else '*whole saga*'} | " + " | ".join(shown) + " |")
    if found.findings:
        lines += ["", "Not survived:", ""]
        lines += [f"- {_cell(finding)}" for finding in found.findings]
    if found.assumed:
        lines += ["", "Assumed: " + _cell("; ".join(found.assumed)) + "."]
    text = "\n".join(lines) + "\n"
    return text if len(text) <= _LIMIT else text[:_LIMIT].rpartition("\n")[0] + "\n\n(cut: the rest is in the JSON)\n"


def _cell(text: str) -> str:
    return clean(text).replace("|", "\\|").replace("<", "&lt;")


def svg(found: CoverageReport, subject: str) -> str:
    """The matrix as a picture: green where all is covered, red where something is missing."""
    heads = [KINDS.get(kind, kind) for kind in found.kinds]
    names = [clean(short(step)) if step else "whole saga" for step, _ in found.matrix]
    left = 16 + 8 * max([len(name) for name in names] + [8])
    cell, height, top = 110, 28, 64
    width, bottom = left + cell * len(heads) + 16, top + height * len(names) + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {bottom}" role="img" font-size="13">',
        f"<title>{escape(summary(found, subject))}</title>",
        f'<text x="16" y="22" font-size="15">{escape(summary(found, subject))}</text>',
    ]
    parts += [
        f'<text x="{left + cell * i + cell // 2}" y="{top - 10}" text-anchor="middle">{escape(head)}</text>'
        for i, head in enumerate(heads)
    ]
    for n, (name, (_, cells)) in enumerate(zip(names, found.matrix, strict=True)):
        y = top + height * n
        parts.append(f'<text x="16" y="{y + 18}">{escape(name)}</text>')
        for i, (covered, owed) in enumerate(cells):
            x = left + cell * i
            fill = "#eeeeee" if not owed else "#b7e1b0" if covered == owed else "#f3b0a8"
            shown = f"{covered}/{owed}" if owed else ""
            parts.append(
                f'<rect x="{x + 2}" y="{y + 2}" width="{cell - 4}" height="{height - 4}" fill="{fill}"/>'
                f'<text x="{x + cell // 2}" y="{y + 18}" text-anchor="middle">{shown}</text>'
            )
    return "\n".join([*parts, "</svg>"]) + "\n"


def plan(
    experiments: Sequence[Experiment], names: Sequence[str], subject: str, *, complete: bool = True
) -> dict[str, Any]:
    """The fault experiments as values that JSON knows: what to inject, when, and what to expect.

    Where not every run was looked at (`complete` is false) there may be more of them, and more ends of each.
    """
    return {
        "schema": PLAN,
        "subject": subject,
        "complete": complete,
        "experiments": [
            {
                "id": " + ".join(c.id for c in e.faults),
                "faults": [
                    {
                        "kind": c.kind,
                        "step": c.step,
                        "direction": c.direction or None,
                        "message": c.part or None,
                        "attempt": c.attempt,
                        "lasting": c.lasting,
                        "error": c.detail or None,
                        "words": clean(c.words),
                    }
                    for c in e.faults
                ],
                "moment": clean(e.moment),
                "expected_ends": list(e.ends),
                "obligations": e.obligations,
                "run": [names[t] for t in e.run],
            }
            for e in experiments
        ],
    }
