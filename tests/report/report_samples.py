"""Reports made of the hand-built models, and of everything else that a run may meet."""

from __future__ import annotations

from report_cases import CASES, TRIP

from placet.compiled import Query
from placet.diagnostics import Diagnostic, Label
from placet.evidence import Assumptions, Holds, Inconclusive, Proof
from placet.report.answers import report_check
from placet.report.report import ModelReport, Report, fault_report
from placet.source import SourceFile, Span

SOURCE = SourceFile("models/trip/trip.placet", TRIP.replace("on cars", "on carz"))


def at(word: str) -> Span:
    start = SOURCE.text.index(word)
    return Span(SOURCE, start, start + len(word))


UNKNOWN = Diagnostic(
    "P201", "error", "no service is called `carz`", at("carz"), (Label(at("flights"), "the only service that is there"),),
    ("services are declared before they are used",), "did you mean `cars`?",
)  # fmt: skip
WARNING = Diagnostic("P301", "warning", "`flight` waits for ever", at("flight on"))


def case_report(name: str) -> Report:
    case = CASES[name]()
    entry = report_check(*case, 0.25)
    spans = [step.span for step in entry.story.steps if step.span]
    c = case.compiled
    path = spans[0].source.path if spans else "order.placet"
    model = ModelReport(
        path, "placet", c.subject, c.kind, len(c.net.places), len(c.net.transitions), checks=(entry,), compiled=c
    )
    return Report((model,))


def mixed_report() -> Report:
    """One of everything: proved, vacuous, open, violated, a warning, a broken file, a fault of the tool."""
    case = CASES["late_request"]()
    c, span = case.compiled, case.query.span
    proof = Proof("reference", 131075, 400000, ("series places",), "all reachable states seen")
    assumed = Assumptions(bounds=(("N", 3),), free_guards=("stock >= 1",))
    entries = (
        report_check(c, Query("option_to_complete", "option_to_complete(trip)"), Holds(proof, assumed), 1.5),
        report_check(
            c, Query("never", "never(car.done)", span=span), Holds(proof, vacuous="`car` is never asked"), 0.0
        ),
        report_check(
            c,
            Query("no_dead_step", "no_dead_step(trip)"),
            Inconclusive(
                "nothing was found in 1000000 situations, and there are more", "states", "1000000", "--budget-states"
            ),
            9.0,
        ),
        report_check(*case, 0.25),
    )
    size = (len(c.net.places), len(c.net.transitions))
    broken = ModelReport("models/trip/broken.placet", "placet", diagnostics=(UNKNOWN,))
    lost = ModelReport(
        "gone.placet",
        "",
        diagnostics=(Diagnostic("P602", "error", "there is no file `gone.placet`", path="gone.placet"),),
    )
    whole = ModelReport("models/trip/trip.placet", "placet", "trip", "saga", *size, (WARNING,), entries, "", c)
    return Report((whole, broken, lost)) + fault_report("odd.placet", "EvidenceError: the run cannot be fired")
