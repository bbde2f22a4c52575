"""The report as text for people: what was checked, what is wrong with the model, and the story of every violation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.report.snippet import render_diagnostic
from placet.report.style import PLAIN, Style, wrap
from placet.report.table import render_run
from placet.report.words import clean, counted, listed, resting_on, trusting

if TYPE_CHECKING:
    from placet.report.report import CheckReport, Conformed, ModelReport, Report, Story

_LOOKS = {"proved": "good", "violated": "bad", "inconclusive": "unsure", "waived": "unsure"}
_INDENT = " " * 16


def render(report: Report, style: Style = PLAIN) -> str:
    """The whole report; ends with the line that says `placet` or `non placet`."""
    lines: list[str] = []
    for model in report.models:
        lines += render_model(model, style)
        lines.append("")
    lines.append(last_line(report, style))
    return "\n".join(lines) + "\n"


def render_model(model: ModelReport, style: Style = PLAIN) -> list[str]:
    """The lines of one model, for those who print as they go."""
    lines = [_title(model, style)] if model.subject or not model.diagnostics else []
    shared = _shared_trust(model)
    for check in model.checks:
        lines += _check_lines(check, style, told=bool(shared))
    if shared:
        some = any(not check.assumptions.guarantees for check in model.checks)
        who = "under faults, these verdicts trust" if some else "these verdicts trust"
        lines += wrap(trusting(shared).replace("trusting", who, 1), style.width, "  ")
    if model.conformed is not None:
        lines += wrap(conformed(model.conformed), style.width, "  ")
    for line in _waived(model):
        lines += wrap(line, style.width, "  ")
    for diagnostic in model.diagnostics:
        if diagnostic.waived:
            continue
        lines += ["", *render_diagnostic(diagnostic, style)] if lines else render_diagnostic(diagnostic, style)
    if model.fault:
        lines += wrap(f"a fault of placet itself, not of the model: {model.fault}", style.width, "  ", "    ")
        lines.append("  please report it with the model; nothing is known about its checks")
    for check in model.checks:
        if check.counts == "waived" and not style.verbose:
            continue
        if check.story:
            lines += ["", *_story_lines(check, check.story, model, style)]
        if check.coverage and (check.story or style.verbose):
            from placet.report.coverage_text import matrix_lines

            lines += ["", *matrix_lines(check.coverage, style.width)]
    return lines


def _waived(model: ModelReport) -> list[str]:
    """The findings that somebody lives with, counted by their waiver."""
    found: dict[tuple[str, str], int] = {}
    for diagnostic in model.diagnostics:
        if diagnostic.waived:
            key = (diagnostic.code, diagnostic.waived)
            found[key] = found.get(key, 0) + 1
    return [f"{counted(count, 'finding')} {clean(code)} waived {clean(why)}" for (code, why), count in found.items()]


def conformed(last: Conformed) -> str:
    """When a model was last held against recorded runs."""
    if not last.on:
        return "last conformed: never"
    runs = counted(last.conforms + last.violates + last.unknown, "run")
    told = f"last conformed: {clean(last.on)}, {runs}"
    if last.violates or last.unknown:
        told = f"last held against recorded runs: {clean(last.on)}, {last.conforms} of {runs} conformed"
    return told + (", and it has changed since" if last.changed else "")


def render_check(check: CheckReport, model: ModelReport, style: Style = PLAIN) -> list[str]:
    """The lines of one check with its story."""
    lines = _check_lines(check, style)
    return [*lines, "", *_story_lines(check, check.story, model, style)] if check.story else lines


def last_line(report: Report, style: Style = PLAIN) -> str:
    """`placet` or `non placet`, with the counts."""
    count = report.summary
    word = "placet" if report.verdict == "placet" else "non placet"
    parts = [f"{count.violated} violated", f"{count.proved} proved", f"{count.inconclusive} inconclusive"]
    if report.verdict == "placet":
        parts = parts[1:2]
    text = f"{', '.join(parts)} in {counted(count.models, 'model')}"
    if count.broken:
        text += f", {counted(count.broken, 'file')} broken"
    if count.waived:
        text += f", {count.waived} waived"
    if count.faults:
        text += f", {counted(count.faults, 'fault')} of the tool"
    if report.interrupted:
        text += ", interrupted"
    return f"{style.paint(word, 'good' if word == 'placet' else 'bad')}: {text}"


def _title(model: ModelReport, style: Style) -> str:
    line = style.paint(clean(model.path), "place")
    if model.subject:
        line += f": {clean(model.kind)} {style.paint(clean(model.subject), 'strong')}"
    if model.subject and style.verbose:
        line += f" ({counted(model.places, 'place')}, {counted(model.transitions, 'transition')})"
    return line


def _branch_lines(number: str, branch: Story, model: ModelReport, style: Style) -> list[str]:
    """One of several runs that it takes to show that a formula is false; they may branch again."""
    lines = ["", *wrap(f"{number} {branch.headline}", style.width, "  ", "     ")]
    run = render_run(branch, model.subject, style)
    if run:
        lines += ["", *run]
    if branch.why:
        lines.append("")
        for reason in branch.why:
            lines += wrap(reason, style.width, "  why: ", "       ")
    for inner, one in enumerate(branch.branches, 1):
        lines += _branch_lines(f"{number}{inner}.", one, model, style)
    return lines


def _shared_trust(model: ModelReport) -> tuple[str, ...]:
    """The guarantees that every verdict of the model rests on: said once, not with each."""
    those = [check.assumptions.guarantees for check in model.checks if check.assumptions.guarantees]
    return those[0] if len(set(those)) == 1 and len(those) > 1 else ()


def _check_lines(check: CheckReport, style: Style, *, told: bool = False) -> list[str]:
    """One line a check; what it rests on follows its name, the reason stands below. `told`: its guarantees are."""
    basis = resting_on(check.assumptions._replace(guarantees=()) if told else check.assumptions)
    head = f"{clean(check.label)}{', ' + basis if basis else ''}"
    lead = f"  {check.counts:<14}"
    lines = wrap(head, style.width, lead, _INDENT)
    lines[0] = f"  {style.paint(check.counts, _LOOKS[check.counts])}" + lines[0][2 + len(check.counts) :]
    if check.counts == "waived":
        lines += wrap(f"{check.outcome}, and waived {clean(check.waived)}", style.width, _INDENT)
    if check.outcome != "proved" or check.coverage:
        lines += wrap(check.message, style.width, _INDENT)
    if check.option and check.outcome == "inconclusive":
        lines += wrap(f"raise the budget with {check.option}", style.width, _INDENT)
    if check.vacuous:
        lines += wrap(f"warning: proves nothing here, {check.vacuous}", style.width, _INDENT)
    if check.note:
        lines += wrap(f"note: {check.note}", style.width, _INDENT)
    if style.verbose:
        lines += wrap(_how(check), style.width, _INDENT)
    return lines


def _how(check: CheckReport) -> str:
    """Which engine decided it, over how much, by which argument."""
    parts = [f"by {clean(check.engine)}" if check.engine else "by no engine"]
    if check.states:
        parts.append(f"{counted(check.states, 'situation')} explored")
    if check.argument:
        parts.append(check.argument)
    if check.reductions:
        parts.append(f"after reducing: {listed(check.reductions, most=12)}")
    parts.append(f"{check.seconds:.3f} s")
    return ", ".join(parts)


def _story_lines(check: CheckReport, story: Story, model: ModelReport, style: Style) -> list[str]:
    lines = [style.paint(f"-- {clean(check.label)} ".ljust(min(style.width, 72), "-"), "faint")]
    if check.sentence:
        lines += wrap(f'"{check.sentence}" does not hold:', style.width, "  ")
    lines += [style.paint(line, "strong") for line in wrap(story.headline, style.width, "  ")]
    run = render_run(story, model.subject, style)
    if run:
        lines += ["", *run]
    if story.why:
        lines.append("")
        for reason in story.why:
            lines += wrap(reason, style.width, "  why: ", "       ")
    for number, branch in enumerate(story.branches, 1):
        lines += _branch_lines(f"{number}.", branch, model, style)
    for step in story.advice:
        lines += ["", *wrap(step, style.width, "  what to do: ", "    ")]
    return lines
