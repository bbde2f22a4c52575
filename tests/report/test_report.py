"""Counts, verdict and exit status, over all mixtures."""

from __future__ import annotations

from itertools import product

import pytest

from placet.diagnostics import Diagnostic
from placet.report.report import CheckReport, ModelReport, Report, fault_report

PARTS = {
    "proved": ModelReport("a", "placet", "a", "net", 1, 1, checks=(CheckReport("safe", "safe(a)", "proved", "m"),)),
    "violated": ModelReport("b", "placet", "b", "net", 1, 1, checks=(CheckReport("safe", "safe(b)", "violated", "m"),)),
    "open": ModelReport("c", "placet", "c", "net", 1, 1, checks=(CheckReport("safe", "safe(c)", "inconclusive", "m"),)),
    "broken": ModelReport("d", "placet", diagnostics=(Diagnostic("P101", "error", "m", path="d"),)),
    "fault": fault_report("e", "m").models[0],
}
# from VERIFY: 70 before 2 before 1 before 3; 130 for Ctrl-C
ORDER = (("fault", 70), ("broken", 2), ("violated", 1), ("open", 3), ("proved", 0))


@pytest.mark.parametrize("chosen", list(product((False, True), repeat=5)), ids=str)
def test_exit_status_of_every_mixture(chosen):
    names = [name for name, take in zip(PARTS, chosen, strict=True) if take]
    expected = next((status for name, status in ORDER if name in names), 2)
    for order in (names, names[::-1]):
        assert Report(tuple(PARTS[n] for n in order)).exit_status == expected


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ((), "error"),
        (("proved",), "placet"),
        (("proved", "open"), "inconclusive"),
        (("proved", "open", "violated"), "non placet"),
        (("violated", "broken"), "error"),
        (("proved", "fault"), "error"),
    ],
)
def test_verdict(names, expected):
    assert Report(tuple(PARTS[n] for n in names)).verdict == expected


def test_interrupted():
    assert Report((PARTS["proved"],), interrupted=True).exit_status == 130
    assert Report((PARTS["violated"],), interrupted=True).exit_status == 130
    assert Report((PARTS["fault"],), interrupted=True).exit_status == 70
    assert Report((PARTS["proved"],), interrupted=True).verdict == "inconclusive"


def test_adding():
    whole = Report((PARTS["proved"],)) + Report((PARTS["violated"],), interrupted=True)
    assert whole == Report((PARTS["proved"], PARTS["violated"]), interrupted=True)


def test_a_warning_is_not_broken():
    warned = PARTS["proved"]._replace(diagnostics=(Diagnostic("P301", "warning", "m", path="a"),))
    assert Report((warned,)).exit_status == 0


@pytest.mark.parametrize("width", [8, 20, 40, 79])
def test_what_stands_in_backticks_stays_on_one_line(width):
    from placet.report.style import wrap

    text = "end it there (`end NAME`), or write `first of { receive ... }` and a ` that is never closed"
    lines = wrap(text, width)
    assert " ".join(lines).replace(" ", "") == text.replace(" ", "")
    assert any("`end NAME`" in line for line in lines) or width < len("(`end NAME`),")
    assert any("`first of { receive ... }`" in line for line in lines) or width < 26
    assert max(map(len, lines)) <= width


def test_every_check_that_can_be_written_is_known_to_the_analyses_and_has_words():
    from placet.analysis.check import CHECKS
    from placet.analysis.questions import MEASURED, RECORDED
    from placet.compile import check_items
    from placet.report.answers import _MEANING

    assert set(check_items.CHECKS) <= {*CHECKS, *MEASURED, *RECORDED}
    assert set(check_items.CHECKS) <= set(_MEANING)
