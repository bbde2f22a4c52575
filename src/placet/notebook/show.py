"""What each value looks like in a notebook: SVG for what is drawn, HTML without scripts for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from placet.draw.lettering import escaped
from placet.draw.palette import FAINT, INK, MARK, colours
from placet.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from placet.compiled import Compiled
    from placet.draw.drawing import Drawing
    from placet.evidence import Holds, Inconclusive, Violated
    from placet.lts import Lts
    from placet.net.core import Net
    from placet.pipeline import Loaded
    from placet.report.report import CheckReport, ModelReport, Report, Story
    from placet.simulate.simulator import Run
    from placet.simulate.statistics import Statistics

_OUTCOMES = {"proved": "#047857", "violated": MARK, "inconclusive": "#92580c"}

Row = tuple[str, str, bool]  # lane, what happens, emphasised


# -- pictures --------------------------------------------------------------------------------------------------------


def drawing(value: Drawing) -> str:
    """The drawing itself, or a line that says why there is none."""
    from placet.draw.svg import svg

    try:
        return svg(value)
    except UsageError as problem:
        return _line_of_svg(str(problem))


def compiled(value: Compiled) -> str:
    """A workflow or saga as its steps, a net as it is."""
    from placet.draw.from_net import from_net

    return drawing(from_net(value, detail="net" if value.kind == "net" else "steps"))


def net(value: Net) -> str:
    """A net without a marking."""
    from placet.compiled import plain
    from placet.draw.from_net import from_net

    return drawing(from_net(plain(value, (0,) * len(value.places))))


def lts(value: Lts) -> str:
    """A transition system, where it is small enough to be read."""
    from placet.draw.from_lts import from_lts

    try:
        return drawing(from_lts(value))
    except UsageError as problem:
        return _line_of_svg(str(problem))


def _line_of_svg(text: str) -> str:
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="760" height="30" font-family="sans-serif" font-size="13">'
        f'<text x="4" y="20" fill="{INK}">{escaped(text)}</text></svg>'
    )


# -- reports ---------------------------------------------------------------------------------------------------------


def report(value: Report) -> str:
    """Every model, and the last word."""
    parts = [model(m) for m in value.models]
    colour = _OUTCOMES["proved" if value.verdict == "placet" else "violated"]
    return _page(*parts, f'<p style="font-size:1.15em;color:{colour};margin:8px 0"><b>{escaped(value.verdict)}</b></p>')


def model(value: ModelReport) -> str:
    """What was checked of a subject, and each story."""
    title = f"{value.kind} <b>{escaped(value.subject)}</b>" if value.subject else f"<b>{escaped(value.path)}</b>"
    parts = [f'<p style="margin:6px 0">{title}</p>', *(check(c) for c in value.checks), _diagnostics(value.diagnostics)]
    if value.fault:
        parts.append(f'<p style="color:{MARK}">a fault of placet itself: {escaped(value.fault)}</p>')
    return _page(*parts)


def check(value: CheckReport) -> str:
    """One check: how it came out, and the run that shows it."""
    colour = _OUTCOMES[value.outcome]
    badge = f'<span style="color:{colour};font-weight:600">{value.outcome}</span>'
    asked = f" <code>{escaped(value.label)}</code>"
    because = f" {escaped(value.message)}" if value.message else ""
    line = f'<p style="margin:3px 0">{badge}{asked}{because}</p>'
    return _page(line, story(value.story) if value.story is not None else "")


def story(value: Story) -> str:
    """A violation told step by step, with a column for each service."""
    shown = [n for n, step in enumerate(value.steps) if step.shown]
    rows = [
        (value.steps[n].service, value.steps[n].phrase, bool(value.steps[n].fault) or n == value.turned) for n in shown
    ]
    again = sum(n < value.loop for n in shown) if value.loop is not None else None
    why = "".join(f'<li style="margin:1px 0">{_code(line)}</li>' for line in value.why)
    advice = "".join(f'<li style="margin:1px 0">{_code(line)}</li>' for line in value.advice)
    return _page(
        f'<p style="margin:8px 0 4px"><b>{_code(value.headline)}</b></p>',
        _steps(rows, again),
        f'<p style="margin:6px 0 0">why</p><ul style="margin:2px 0">{why}</ul>' if why else "",
        f'<p style="margin:6px 0 0">what to do</p><ul style="margin:2px 0">{advice}</ul>' if advice else "",
    )


def loaded(value: Loaded) -> str:
    """The subjects of a file, drawn, and what is wrong with it."""
    parts = [f'<p style="margin:6px 0"><b>{escaped(value.path)}</b></p>', _diagnostics(value.diagnostics)]
    for subject in value.compiled[:8]:
        parts.append(f'<div style="overflow-x:auto">{compiled(subject)}</div>')
    if len(value.compiled) > 8:
        parts.append(f"<p>and {len(value.compiled) - 8} more</p>")
    return _page(*parts)


# -- verdicts --------------------------------------------------------------------------------------------------------


def holds(value: Holds) -> str:
    """Proved, and by what."""
    return _verdict("proved", words(value))


def violated(value: Violated) -> str:
    """Violated, and the kind of witness."""
    return _verdict("violated", words(value))


def inconclusive(value: Inconclusive) -> str:
    """Neither, and what ran out."""
    return _verdict("inconclusive", words(value))


def _verdict(outcome: str, text: str) -> str:
    first, _, rest = text.partition(": ")
    badge = f'<span style="color:{_OUTCOMES[outcome]};font-weight:600">{escaped(first)}</span>'
    return _page(f"<p>{badge} {escaped(rest)}</p>")


# -- runs ------------------------------------------------------------------------------------------------------------


def run(value: Run) -> str:
    """A simulated run, step by step."""
    rows = [(e.service, e.phrase, bool(e.fault)) for e in value.events if e.shown]
    return _page(
        f'<p style="margin:6px 0"><b>{escaped(value.subject)}</b>, seed {value.seed}: {_code(value.told)}</p>',
        _steps(rows, None),
    )


def statistics(value: Statistics) -> str:
    """How often each end was reached, with bars."""
    lines = []
    for tally in value.tallies:
        part = tally.runs / value.replications
        name = f"ended {escaped(tally.end)}" if tally.end else escaped(tally.outcome.value)
        bar = f'<div style="background:{FAINT};height:10px;width:{max(1, round(200 * part))}px"></div>'
        lines.append(f"<tr><td>{name}</td><td>{tally.runs}</td><td>{bar}</td><td>seed {tally.seed}</td></tr>")
    steps = f"{value.shortest} to {value.longest} steps, {value.mean:.1f} on average"
    title = f"<b>{escaped(value.subject)}</b>: {value.replications} runs of {steps}"
    return _page(f'<p style="margin:6px 0">{title}</p><table>{"".join(lines)}</table>')


# -- parts -----------------------------------------------------------------------------------------------------------


def _page(*parts: str) -> str:
    return f'<div style="color:{INK};background:#fff;padding:2px 6px">{"".join(p for p in parts if p)}</div>'


def _code(text: str) -> str:
    """Text with its names, which stand in backticks, in type of their own."""
    parts = escaped(text).split("`")
    if len(parts) % 2 == 0:
        return "`".join(parts)
    return "".join(f"<code>{p}</code>" if n % 2 else p for n, p in enumerate(parts))


def _steps(rows: Sequence[Row], again: int | None) -> str:
    """A table of steps with a column for each service; `again` is the row from which it repeats."""
    if not rows:
        return ""
    lanes = list(dict.fromkeys(lane for lane, _, _ in rows if lane))
    columns = ["", *lanes] if any(not lane for lane, _, _ in rows) else lanes
    fills = colours(tuple(lanes))
    cell = "padding:2px 8px;text-align:left;vertical-align:top"
    head = "".join(f'<th style="{cell};background:{fills[c][0]}">{escaped(c or "coordinator")}</th>' for c in columns)
    lines = [f'<tr><th style="{cell}"></th>{head}</tr>']
    for number, (lane, phrase, marked) in enumerate(rows, 1):
        colour = f";color:{MARK};font-weight:600" if marked else ""
        cells = "".join(
            f'<td style="{cell};background:{fills[c][0]}{colour}">{_code(phrase)}</td>'
            if c == lane
            else f'<td style="{cell}"></td>'
            for c in columns
        )
        mark = " ↻" if again is not None and number == again + 1 else ""
        lines.append(f'<tr><td style="{cell};color:{FAINT}">{number}{mark}</td>{cells}</tr>')
    return f'<table style="border-collapse:collapse;font-size:0.95em">{"".join(lines)}</table>'


def _diagnostics(found: Iterable[Any]) -> str:
    lines = []
    for d in found:
        where = f"{escaped(str(d.span))}: " if d.span is not None else f"{escaped(d.path)}: " if d.path else ""
        colour = MARK if d.severity == "error" else FAINT
        hint = f"<br>help: {_code(d.help)}" if d.help else ""
        lines.append(
            f'<p style="margin:3px 0;color:{colour}">{where}{d.severity}[{d.code}]: {_code(d.message)}{hint}</p>'
        )
    return "".join(lines)


def words(value: Any) -> str:  # noqa: ANN401 - one of the types that are shown
    """One short line for any of the values, where pictures cannot be shown; `Report` is told whole."""
    kind = type(value).__name__
    if kind == "Report":
        from placet.report.text import render

        return render(value).rstrip()
    simple = {
        "Net": lambda v: f"Net {v.name!r}: {len(v.places)} places, {len(v.transitions)} transitions",
        "Compiled": lambda v: (
            f"{v.kind} {v.subject!r}: {len(v.net.places)} places, {len(v.net.transitions)} transitions"
        ),
        "Drawing": lambda v: f"Drawing {v.title!r}: {v.description}",
        "Lts": lambda v: f"{v.states} states, {len(v.edges)} edges",
        "Loaded": lambda v: f"{v.path}: {len(v.compiled)} subjects, {len(v.diagnostics)} diagnostics",
        "ModelReport": lambda v: f"{v.path}: {', '.join(f'{c.label} {c.outcome}' for c in v.checks)}",
        "CheckReport": lambda v: f"{v.outcome}: {v.label} {v.message}",
        "Story": lambda v: "\n".join([v.headline, *(f"  {s.phrase}" for s in v.steps if s.shown)]),
        "Holds": lambda v: f"proved: by {v.proof.engine}, {v.proof.states} states {v.proof.argument}".rstrip(),
        "Violated": lambda v: f"violated: {type(v.claim).__name__}, shown by {type(v.witness).__name__}",
        "Inconclusive": lambda v: f"inconclusive: {v.reason}",
        "Run": lambda v: "\n".join(
            [f"{v.subject}, seed {v.seed}: {v.told}", *(f"  {e.phrase}" for e in v.events if e.shown)]
        ),
        "Statistics": lambda v: "\n".join(
            f"{t.runs} of {v.replications}: {t.outcome.value} {t.end}".rstrip() for t in v.tallies
        ),
    }
    told: str = simple[kind](value)
    return told
