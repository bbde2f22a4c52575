"""Event loops: what shows that there is one, and that there is none."""

from __future__ import annotations

import random

import pytest

from placet.analysis.event_loop import circle
from placet.certificate.circles import goes_round
from placet.certificate.closed import RefusedError
from placet.certificate.recheck import Checker
from placet.cli.certifying import certify, options_of, questions_of
from placet.net.roles import Delivery, Published, Roles
from placet.pipeline import Options, check, compile_source
from placet.source import SourceFile

ALARMS = """\
topic readings, alarms, escalations on nats {{ at_least_once; capacity 2 }}
topic device on nats {{ at_least_once; capacity 2; outside 1 }}
choreography iot {{
  service ingest {{ on device.Data {{ publish readings.Raw }} }}
  service detect {{
    on readings.Raw {{ publish alarms.Raised }}
    on escalations.Unanswered {{ {answer} }}
  }}
  service page {{ on alarms.Raised {{ either {{ task call_engineer }} or {{ publish escalations.Unanswered }} }} }}
}}
check no_event_loop(iot)
"""
ONCE = """\
topic calls on nats { at_least_once; capacity 2 }
topic device on nats { at_least_once; capacity 2; outside 1 }
choreography iot {
  service tell { on device.Data { publish calls.Ping } }
  service answer { on calls.Pong { task read } on calls.Ping { publish calls.Pong } }
}
check no_event_loop(iot)
"""


def made(text):
    loaded = compile_source(SourceFile("iot.placet", text))
    assert not loaded.broken, loaded.diagnostics
    certificate = certify(check(loaded, Options()), Options())
    (entry,) = certificate.entries
    (asked,) = questions_of(loaded, options_of(certificate)).values()
    Checker(certificate).check(asked.meaning(), entry)
    return certificate, entry, asked.meaning()


def is_shown(certificate, entry, meaning):
    try:
        Checker(certificate).check(meaning, entry)
    except RefusedError:
        return False
    return True


def test_a_loop_is_shown_by_a_run_that_goes_round():
    certificate, entry, meaning = made(ALARMS.format(answer="publish alarms.Raised"))
    assert entry.verdict == "violated"
    (shown,) = entry.evidence
    for change in (
        {"loop": 99},
        {"loop": shown["run"]},
        {"steps": 0},
        {"steps": shown["steps"] + 1},
        {"obligation": 1},
    ):
        assert not is_shown(certificate, entry._replace(evidence=({**shown, **change},)), meaning), change
    loop = certificate.runs[shown["loop"]]
    for at in range(len(loop)):
        shorter = (
            *certificate.runs[: shown["loop"]],
            loop[:at] + loop[at + 1 :],
            *certificate.runs[shown["loop"] + 1 :],
        )
        assert not is_shown(certificate._replace(runs=shorter), entry, meaning)
    assert not is_shown(certificate, entry._replace(verdict="proved"), meaning)
    assert not is_shown(certificate, entry._replace(verdict="proved", evidence=()), meaning)


@pytest.mark.parametrize("text", [ALARMS.format(answer="task write"), ONCE])
def test_where_no_message_leads_to_itself_nothing_is_to_be_shown(text):
    certificate, entry, meaning = made(text)
    assert (entry.verdict, entry.evidence) == ("proved", ())
    assert not is_shown(certificate, entry._replace(verdict="violated"), meaning)
    assert not is_shown(certificate, entry._replace(verdict="violated", evidence=({"obligation": 0},)), meaning)


def test_a_way_round_that_is_never_gone_is_shown_by_a_set(checkout):
    text = (checkout / "models" / "supply_chain" / "model.placet").read_text()
    checks = [line for line in text.splitlines() if line.startswith("check ")]
    kept = "\n".join(line for line in text.splitlines() if line not in checks)
    certificate, entry, meaning = made(f"{kept}\ncheck no_event_loop(chain)\n")
    assert entry.verdict == "proved"
    (shown,) = entry.evidence
    states = certificate.sets[shown["set"]]
    for at in range(0, len(states.rows), max(1, len(states.rows) // 10)):
        fewer = states._replace(rows=states.rows[:at] + states.rows[at + 1 :])
        assert not is_shown(certificate._replace(sets=(fewer,)), entry, meaning)


def test_who_goes_round_is_found_as_a_search_finds_it():
    rng = random.Random(1)
    seen = set()
    for _ in range(300):
        names = [f"h{i}" for i in range(rng.randint(1, 5))]
        events = [f"e{i}" for i in range(rng.randint(1, 5))]
        deliveries = tuple(
            Delivery(rng.choice(events), "t", n, "", (), (k,), handler=rng.choice((n, ""))) for k, n in enumerate(names)
        )
        deliveries = tuple(d if d.handler else d._replace(process=d.reader) for d in deliveries)
        published = tuple(
            Published(10 + k, rng.choice(events), rng.choice(names), read=True) for k in range(rng.randint(0, 6))
        )
        roles = Roles((), deliveries=deliveries, published=published)
        for fired in (None, frozenset(rng.sample(range(16), 8))):
            assert goes_round(roles, fired) == bool(circle(roles, fired))
            seen.add(goes_round(roles, fired))
    assert seen == {True, False}
