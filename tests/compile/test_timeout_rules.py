"""`errors { timeout: halt }`: a time-out that stops the saga where it stands."""

from __future__ import annotations

import pytest

from placet.net.roles import Kind
from placet.pipeline import compile_source, verify
from placet.source import SourceFile

SAGA = """
service s {{ idempotent; null_safe; rejects_after_cancel }}
saga p {{
  step a on s {{ undo ua; timeout 5s }}
  step b on s {{ undo ub; timeout 5s; {options} }}
}}
check {check}
"""


def outcome(options: str, check: str) -> str:
    ((entry,),) = [m.checks for m in verify(SAGA.format(options=options, check=check)).models]
    return entry.outcome


STOPPED = "never(p.failed and a.effect >= 1) under { slow } at_most 2"


@pytest.mark.parametrize(
    ("options", "check", "expected"),
    [
        ("errors { timeout: halt }", STOPPED, "violated"),
        ("errors { timeout: escalate }", STOPPED, "violated"),
        ("errors { timeout: unknown }", STOPPED, "proved"),
        ("errors { Busy: reject }", STOPPED, "proved"),
        ("retry 1; errors { timeout: halt }", STOPPED, "violated"),
        ("retry 2; errors { timeout: halt }", STOPPED, "violated"),  # one slow service is slow three times
        ("retriable; errors { timeout: halt }", STOPPED, "violated"),
        ("errors { timeout: halt }", "never(p.failed) under { reject, partial } at_most 1", "proved"),
        ("errors { Broken: halt }", "never(p.failed and a.effect >= 1) under { reject } at_most 1", "violated"),
        ("errors { timeout: halt }", "option_to_complete(p) under { reject, lost, slow } at_most 2", "proved"),
        ("errors { timeout: halt }", "possible(p.compensated) under { reject } at_most 1", "proved"),
    ],
)
def test_where_it_leads(options, check, expected) -> None:
    assert outcome(options, check) == expected


@pytest.mark.parametrize(("action", "person"), [("halt", False), ("escalate", True)])
def test_whether_a_person_hears_of_it(action, person) -> None:
    text = SAGA.format(options=f"errors {{ timeout: {action} }}", check="safe(p)")
    (compiled,) = compile_source(SourceFile("x.placet", text)).compiled
    names = compiled.net.transitions
    (role,) = [r for t, r in enumerate(compiled.roles.transitions) if names[t] == "p/b#timeout[1]"]
    assert (role.kind, role.escalates, role.commits) == (Kind.TIMER, person, True)
    assert "p/b#error.timeout[1]" not in names, "a time-out is no reply"


@pytest.mark.parametrize("rule", ["timeout: reject", "timeout: retry 3", "timeout: retry 3 then halt"])
def test_a_time_out_is_no_refusal(rule) -> None:
    loaded = compile_source(SourceFile("x.placet", SAGA.format(options=f"errors {{ {rule} }}", check="safe(p)")))
    assert [d.code for d in loaded.diagnostics if d.severity == "error"] == ["P206"]
