"""Runs of our own and Temporal histories against workflows and sagas of the language."""

from __future__ import annotations

import json
import random
import re

import pytest

from conftest import CHECKOUT
from placet.conform.conform import exercised, hold_all
from placet.conform.logs import read
from placet.conform.native import prepared
from placet.net.firing import fire
from placet.pipeline import compile_source
from placet.simulate.simulator import Outcome, run
from placet.source import SourceFile

TRIP = """
service cars { idempotent; null_safe }
service hotels { null_safe }
saga trip {
  step reserve_car on cars { undo cancel_car; timeout 10s; retry 1 }
  step reserve_hotel on hotels { undo cancel_hotel; rejects NoRooms => retry 0 }
  task send_mail fails Bounced
}
"""
TRIP = TRIP.replace("; rejects NoRooms => retry 0", "")

ORDER = """
workflow order {
  task check fails Fraud
  choice {
    when "in stock" { parallel { task pack  task bill } }
    otherwise { receive restocked -> task pack_late }
  }
  task send
  end shipped
}
""".replace("receive restocked -> task pack_late", "receive restocked  task pack_late")


def subject(text):
    loaded = compile_source(SourceFile("model.placet", text))
    assert not loaded.broken, [d.message for d in loaded.diagnostics]
    return loaded.compiled[0]


def held(text, log, tmp_path):
    path = tmp_path / "a.log"
    path.write_text(log, encoding="utf-8")
    found = read(str(path))
    assert found.diagnostics == ()
    return hold_all(subject(text), found.cases)


def words(*lines):
    return "\n".join(f"a {line}" for line in lines)


BOOKED = ("reserve_car asked", "reserve_car done", "reserve_hotel asked", "reserve_hotel done")
UNDO = ("cancel_hotel undo_asked", "cancel_hotel undone", "cancel_car undo_asked", "cancel_car undone")

FITS = {
    "completed": (TRIP, (*BOOKED, "send_mail done", "- ended completed")),
    "undone": (TRIP, (*BOOKED, "send_mail failed Bounced", *UNDO, "- ended compensated")),
    "by the names of the steps": (TRIP, (*BOOKED, "send_mail failed Bounced", *(u.replace("cancel", "reserve") for u in UNDO), "- ended compensated")),
    "in other letters": (TRIP, ("ReserveCar asked", "RESERVE-CAR done", "trip/reserve_hotel asked")),
    "refused twice": (TRIP, ("reserve_car asked", "reserve_car refused", "reserve_car asked", "reserve_car refused", "- ended compensated")),
    "not known": (TRIP, ("reserve_car asked", "reserve_car timed_out", "reserve_car asked", "reserve_car timed_out", "cancel_car asked", "cancel_car done", "- ended compensated")),
    "an undo that fails first": (TRIP, ("reserve_car asked", "reserve_car done", "reserve_hotel asked", "reserve_hotel refused", "reserve_car undo_asked", "reserve_car undo_refused", "reserve_car undo_asked", "reserve_car undone", "- ended compensated")),
    "without requests": (TRIP, ("reserve_car done", "reserve_hotel done", "send_mail done", "- ended completed")),
    "in stock": (ORDER, ("check done", "bill done", "pack done", "send done", "- ended shipped")),
    "both begin": (ORDER, ("check started", "check done", "pack started", "bill started", "pack done", "bill done", "send started", "send done")),
    "out of stock": (ORDER, ("check done", "restocked arrived", "pack_late done", "send done", "- ended shipped")),
    "signals not shown": (ORDER, ("check done", "pack_late done", "send done", "- ended shipped")),
    "fraud": (ORDER, ("check failed Fraud", "- ended failed")),
}  # fmt: skip

DOES_NOT = {
    "too early": (TRIP, (*BOOKED, "- ended completed"), 5),
    "before the reply": (TRIP, ("reserve_car asked", "reserve_hotel asked"), 2),
    "not asked": (TRIP, ("reserve_car asked", "reserve_car done", "reserve_hotel done"), 3),
    "in the wrong order": (TRIP, (*BOOKED, "send_mail failed Bounced", *UNDO[2:], *UNDO[:2]), 6),
    "not undone": (TRIP, (*BOOKED, "send_mail failed Bounced", *UNDO[:2], "- ended compensated"), 8),
    "completed after an undo": (TRIP, (*BOOKED, "send_mail failed Bounced", *UNDO, "- ended completed"), 10),
    "a third attempt": (TRIP, (*("reserve_car asked", "reserve_car refused") * 2, "reserve_car asked"), 5),
    "an undo of what was refused": (TRIP, ("reserve_car asked", "reserve_car refused", "reserve_car asked", "reserve_car refused", "cancel_car asked"), 5),
    "a time-out without one": (TRIP, ("reserve_car done", "reserve_hotel timed_out"), 2),
    "twice": (ORDER, ("check done", "pack done", "pack done"), 3),
    "both ways of a choice": (ORDER, ("check done", "pack done", "pack_late done"), 3),
    "half of a parallel": (ORDER, ("check done", "pack done", "send done"), 3),
    "another error": (ORDER, ("check failed Theft",), 1),
    "another end": (ORDER, ("check failed Fraud", "- ended shipped"), 2),
    "no such end": (ORDER, ("check failed Fraud", "- ended lost"), 2),
    "no such step": (ORDER, ("check done", "wrap done"), 2),
    "done before it starts": (ORDER, ("check started", "check done", "pack done", "pack started"), 3),
    "no signal": (ORDER, ("check done", "pack_late done", "restocked arrived"), 2),
}  # fmt: skip


@pytest.mark.parametrize("name", FITS)
def test_runs_of_the_model_conform(name, tmp_path):
    model, lines = FITS[name]
    (found,) = held(model, words(*lines), tmp_path)
    assert (found.verdict, found.reason) == ("conforms", "")
    assert found.matched == len(lines)
    marking = found.compiled.initial
    for t in found.sequence:
        marking = fire(found.compiled.net, marking, t)
        assert marking is not None


@pytest.mark.parametrize("name", DOES_NOT)
def test_other_runs_violate_it_at_their_event(name, tmp_path):
    model, lines, at = DOES_NOT[name]
    (found,) = held(model, words(*lines), tmp_path)
    assert (found.verdict, found.event.number) == ("violates", at)
    assert found.matched == at - 1


def test_a_run_without_an_end_conforms_as_far_as_it_goes(tmp_path):
    model, lines = FITS["undone"]
    for most in range(1, len(lines)):
        (found,) = held(model, words(*lines[:most]), tmp_path)
        assert (found.verdict, found.case.complete) == ("conforms", False)


def test_runs_of_one_log_are_held_one_by_one(tmp_path):
    good, bad = FITS["in stock"][1], DOES_NOT["half of a parallel"][1]
    log = words(*good) + "\n" + words(*bad).replace("a ", "b ") + "\n" + words(*good).replace("a ", "c ")
    found = held(ORDER, log, tmp_path)
    assert [(f.case.name, f.verdict) for f in found] == [("a", "conforms"), ("b", "violates"), ("c", "conforms")]


# -- Temporal --------------------------------------------------------------------------------------------------------


def temporal(*events):
    """`Pack scheduled 1`, `Pack completed 1`: activities by number; a bare word is an event of the workflow."""
    made = [
        {
            "eventId": "1",
            "eventType": "WorkflowExecutionStarted",
            "workflowExecutionStartedEventAttributes": {"workflowType": {"name": "Trip"}},
        }
    ]
    scheduled = {}
    for line in events:
        name, what, *error = line.split()
        number = len(made) + 1
        if name == "workflow":
            kind, details = f"WorkflowExecution{what.capitalize()}", {}
        elif name == "signal":
            kind, details = "WorkflowExecutionSignaled", {"signalName": what}
        elif name == "child":
            kind, details = "StartChildWorkflowExecutionInitiated", {"workflowType": {"name": what}}
        else:
            kind = f"ActivityTask{''.join(w.capitalize() for w in what.split('_'))}"
            details = (
                {"activityType": {"name": name}} if what == "scheduled" else {"scheduledEventId": str(scheduled[name])}
            )
            if what == "scheduled":
                scheduled[name] = number
            if error:
                details["failure"] = {"applicationFailureInfo": {"type": error[0]}}
        made.append(
            {"eventId": str(number), "eventType": kind, kind[0].lower() + kind[1:] + "EventAttributes": details}
        )
    return json.dumps({"events": made})


CAR = ("ReserveCar scheduled", "ReserveCar started", "ReserveCar completed")
HOTEL = ("ReserveHotel scheduled", "ReserveHotel completed")
MAIL = ("SendMail scheduled", "SendMail completed")


@pytest.mark.parametrize(("events", "verdict"), [
    ((*CAR, *HOTEL, *MAIL, "workflow completed"), "conforms"),
    ((*CAR, "ReserveHotel scheduled", "ReserveHotel failed NoRooms", "CancelCar scheduled", "CancelCar completed", "workflow failed"), "conforms"),
    (("ReserveCar scheduled", "ReserveCar timed_out", "CancelCar scheduled", "CancelCar completed", "workflow failed"), "conforms"),
    ((*CAR, *HOTEL, "SendMail scheduled", "SendMail failed Bounced", "CancelHotel scheduled", "CancelHotel completed", "CancelCar scheduled", "workflow terminated"), "conforms"),
    ((*CAR, *HOTEL, "workflow completed"), "violates"),
    ((*HOTEL, *CAR, *MAIL, "workflow completed"), "violates"),
    ((*CAR, "ReserveHotel scheduled", "ReserveHotel failed NoRooms", "workflow failed"), "violates"),
    ((*CAR, *HOTEL, "SendMail scheduled", "SendMail failed Lost"), "violates"),
    ((*CAR, "BookFlight scheduled"), "violates"),
    ((*CAR, "child Insurance"), "unknown"),
], ids=range(10))  # fmt: skip
def test_temporal_histories(tmp_path, events, verdict):
    (found,) = held(TRIP, temporal(*events), tmp_path)
    assert found.verdict == verdict
    assert found.case.complete == events[-1].startswith("workflow")


def test_a_signal_of_a_temporal_history_must_come(tmp_path):
    order = (
        "Check scheduled",
        "Check completed",
        "signal restocked",
        "PackLate scheduled",
        "PackLate completed",
        "Send scheduled",
        "Send completed",
        "workflow completed",
    )
    assert held(ORDER, temporal(*order), tmp_path)[0].verdict == "conforms"
    without = [e for e in order if not e.startswith("signal")]
    (found,) = held(ORDER, temporal(*without), tmp_path)
    assert (found.verdict, found.event.name) == ("violates", "PackLate")


# -- steps that are done for each of several things ------------------------------------------------------------------

PARCELS = """
service warehouse { null_safe }
saga ship {
  for each parcel in 1..2 parallel { step pick on warehouse { undo put_back } }
  task send fails Lost
}
workflow wrap { for each parcel in 1..2 parallel { task fold fails Torn } }
"""
PICKED = ("pick[2] asked", "pick[1] asked", "pick[1] done", "pick[2] done", "send failed Lost")


@pytest.mark.parametrize(
    ("lines", "verdict"),
    [
        ((*PICKED, "pick[1] undo_asked", "pick[2] undo_asked", "pick[2] undone", "pick[1] undone"), "conforms"),
        ((*PICKED, "put_back[2] asked", "put_back[2] done", "put_back[1] asked", "put_back[1] done"), "conforms"),
        ((*PICKED, *("put_back asked", "put_back done") * 2, "- ended compensated"), "conforms"),
        (("pick asked", "pick asked", "pick done", "pick done", "send done", "- ended completed"), "conforms"),
        ((*PICKED, "put_back[2] asked", "put_back[2] done", "put_back[2] asked"), "violates"),
        (("pick[1] asked", "pick[2] done"), "violates"),
        (("pick[1] asked", "pick[1] asked"), "violates"),
        (("pick asked",) * 3, "violates"),
        (("pick[3] asked",), "violates"),
        (("send[1] done",), "violates"),
    ],
)
def test_a_run_names_which_of_several_things_or_none(lines, verdict, tmp_path):
    (found,) = held(PARCELS, words(*lines), tmp_path)
    assert found.verdict == verdict
    assert found.verdict == "conforms" or found.event.number == len(lines)


def test_what_could_have_come_is_numbered_where_the_run_is(tmp_path):
    (found,) = held(PARCELS, words("pick[1] asked", "pick[2] done"), tmp_path)
    assert "`pick[2]` is asked for" in found.allowed
    (found,) = held(PARCELS, words("pick asked", "send done"), tmp_path)
    assert "`pick` is asked for" in found.allowed


def test_activities_of_several_things(tmp_path):
    path = tmp_path / "a.log"
    wrap = compile_source(SourceFile("model.placet", PARCELS)).compiled[-1]
    for lines, verdict in (
        (("fold started", "fold started", "fold done", "fold failed Torn"), "conforms"),
        (("fold[1] started", "fold[2] started", "fold[2] done", "fold[1] done", "- ended completed"), "conforms"),
        (("fold[1] started", "fold[2] started", "fold[2] done", "fold[2] done"), "violates"),
        (("fold done",) * 3, "violates"),
    ):
        path.write_text(words(*lines), encoding="utf-8")
        (found,) = hold_all(wrap, read(str(path)).cases)
        assert (wrap.kind, found.verdict) == ("workflow", verdict), lines


# -- interruptions, and answers that are no refusals -----------------------------------------------------------------

CALLED_OFF = """
service inventory { idempotent; null_safe }
saga reservation {
  failing_step undo
  try { step reserve on inventory { undo release; timeout 10s } receive payment } on signal cancel { abandon "gone" }
}
"""


@pytest.mark.parametrize(
    ("lines", "verdict"),
    [
        (("cancel arrived", "- ended compensated"), "conforms"),
        (("reserve asked", "cancel arrived", "release asked", "release done", "- ended compensated"), "conforms"),
        (("reserve asked", "reserve done", "payment arrived", "cancel arrived"), "violates"),
        (("cancel arrived", "reserve asked"), "violates"),
        (("reserve asked", "cancel arrived", "- ended compensated"), "violates"),
    ],
)
def test_signals_that_interrupt(lines, verdict, tmp_path):
    (found,) = held(CALLED_OFF, words(*lines), tmp_path)
    assert found.verdict == verdict
    assert found.verdict == "conforms" or found.event.number == len(lines)


DEADLINE = """
service cars { idempotent; null_safe }
saga trip { try { step reserve on cars { undo release; timeout 10s } } on timeout 1h { abandon "too late" } }
"""


@pytest.mark.parametrize(
    ("lines", "verdict"),
    [
        (("reserve asked", "deadline elapsed", "release asked", "release done", "- ended compensated"), "conforms"),
        (("reserve asked", "release asked", "release done", "- ended compensated"), "conforms"),
        (("reserve asked", "deadline elapsed", "reserve timed_out"), "violates"),
    ],
)
def test_the_time_of_a_scope_is_not_that_of_its_step(lines, verdict, tmp_path):
    (found,) = held(DEADLINE, words(*lines), tmp_path)
    assert found.verdict == verdict


ASKED = """
service payments { idempotent }
saga order {
  on unknown ask
  step charge on payments via grpc { undo pay_back; timeout 5s; retry 1 }
  task ship
}
"""


def test_what_was_done_before_is_done_and_questions_are_not_in_a_log(tmp_path):
    for lines, verdict in (
        (("charge asked", "charge timed_out", "charge asked", "charge done", "ship done"), "conforms"),
        (("charge asked", "charge timed_out", "charge asked", "charge timed_out", "ship done"), "conforms"),
        (("charge asked", "charge refused Unavailable", "charge asked", "charge done"), "conforms"),
        (("charge asked", "charge refused Unavailable", "ship done"), "violates"),
        (("charge asked", "charge refused AlreadyExists", "ship done"), "violates"),
    ):
        (found,) = held(ASKED, words(*lines), tmp_path)
        assert found.verdict == verdict, lines


BREAKER = """
service payments {
  idempotent
  circuit_breaker after 1
}
saga order { step charge on payments { undo pay_back; retry 1 } }
"""


def test_calls_that_are_refused_before_they_are_made(tmp_path):
    for lines, verdict in (
        (("charge asked", "charge refused", "charge refused CircuitOpen", "- ended compensated"), "conforms"),
        (("charge asked", "charge refused", "charge refused", "- ended compensated"), "conforms"),
        (("charge asked", "charge refused CircuitOpen"), "violates"),
        (("charge asked", "charge refused", "charge refused RateLimited"), "violates"),
    ):
        (found,) = held(BREAKER, words(*lines), tmp_path)
        assert found.verdict == verdict, lines


SETS = """
var short: bool = true
workflow order { while short at_most 2 { task order_again fails Lost sets short = any } }
"""


def test_a_task_that_sets_something_is_done(tmp_path):
    for lines, verdict in (
        (("order_again done", "order_again done", "- ended completed"), "conforms"),
        (("order_again failed Lost",), "conforms"),
        (("order_again failed Found",), "violates"),
        (("order_again done",) * 3, "violates"),
    ):
        (found,) = held(SETS, words(*lines), tmp_path)
        assert found.verdict == verdict, lines


# -- whatever the simulator does conforms ----------------------------------------------------------------------------

WORDS = (
    (r"#undo\.send\[", "undo_asked"), (r"#undo\.known\[", "undone"), (r"#undo\.refused\[", "undo_refused"),
    (r"#undo\.timeout\[", "undo_timed_out"), (r"#send\[", "asked"), (r"#known\[", "done"), (r"#refused", "refused"),
    (r"#timeout\[", "timed_out"), (r"#error\.", "refused"), (r"#blocked\.", "refused"), (r"#undo\.blocked\.", "undo_refused"),
)  # fmt: skip


def line(compiled, t):
    """What a log says when a transition fires, by its name."""
    name, role, origin = compiled.net.transitions[t], compiled.roles.transitions[t], compiled.origin.transitions[t]
    step = origin.id.rsplit("/", 1)[-1].split("~")[0]
    if role.kind.value == "task":
        error = re.search(r"#(?!sets\[)([A-Za-z_]+)", name.rpartition("/")[2])
        return f"{step} failed {error.group(1)}" if error else f"{step} done"
    if role.kind.value == "event":
        return f"{origin.phrase.split('`')[1]} arrived"
    if role.step and role.kind.value in ("send", "reply", "timer"):
        for pattern, word in WORDS:
            if re.search(pattern, name):
                error = re.search(r"#(?:undo\.)?(?:error|blocked)\.([A-Za-z_]+)", name)
                return f"{step} {word}{' ' + error.group(1) if error else ''}"
    return ""


def simulated(compiled, seed):
    found = run(compiled, seed, 400)
    lines = [said for event in found.events if (said := line(compiled, event.transition))]
    if found.outcome is Outcome.ENDED:
        lines.append(f"- ended {found.end}")
    return lines


MODELS = sorted((CHECKOUT / "models").rglob("*.placet"))


@pytest.mark.editable  # reads the models of the checkout
@pytest.mark.parametrize("path", MODELS, ids=lambda p: p.stem)
def test_every_simulated_run_conforms(path, tmp_path):
    loaded = compile_source(SourceFile(str(path), path.read_text(encoding="utf-8")))
    tried = refused = 0
    for compiled in loaded.compiled:
        woven = prepared(compiled)
        if compiled.kind == "net" or compiled.called is not None:  # an imported definition has logs of its own kind
            continue
        for seed in range(8):
            lines = simulated(woven, seed)
            if not lines:
                continue
            log = tmp_path / "a.log"
            log.write_text(words(*lines), encoding="utf-8")
            (found,) = hold_all(compiled, read(str(log)).cases)
            assert found.verdict == "conforms", (seed, lines, found.reason, found.event)
            draw = random.Random(seed)
            foreign = [*lines]
            foreign[draw.randrange(len(lines))] = "never_heard_of done"
            log.write_text(words(*foreign), encoding="utf-8")
            assert hold_all(compiled, read(str(log)).cases)[0].verdict == "violates"
            told = [n for n, said in enumerate(lines[:-1]) if not said.endswith("arrived")]  # a signal can be lost
            if lines[-1].startswith("- ended") and len(lines) > 2 and told and not compiled.final.quiet:
                del lines[told[draw.randrange(len(told))]]
                log.write_text(words(*lines), encoding="utf-8")
                tried += 1
                refused += hold_all(compiled, read(str(log)).cases)[0].verdict == "violates"
    assert refused >= tried * (
        0.3 if tried >= 5 else 0
    )  # in a loop, or beside the rest, a step more or less is a run as well


COURIER = """
topic orders on nats { at_least_once }
choreography courier {
  service shop { on orders.Paid { task pack  task post } }
}
"""


@pytest.mark.parametrize(
    ("lines", "verdict"),
    [
        (("orders.Paid arrived", "pack done", "post done", "- ended "), "conforms"),
        (("orders.Paid arrived", "pack done", "- ended "), "violates"),
        (("orders.Paid arrived", "post done", "- ended "), "violates"),
        (("orders.Paid arrived", "pack done", "post done", "- ended delivered"), "violates"),
    ],
)
def test_a_run_of_services_that_only_react_ends_without_a_name(lines, verdict, tmp_path):
    (found,) = held(COURIER, words(*lines), tmp_path)
    assert found.verdict == verdict


def test_what_a_run_exercised(tmp_path):
    path = tmp_path / "a.log"
    path.write_text(words(*FITS["undone"][1]), encoding="utf-8")
    (case,) = read(str(path)).cases
    compiled = subject(TRIP)
    sequence = exercised(compiled, case)
    woven = prepared(compiled)
    marking, names = woven.initial, []
    for t in sequence:
        marking = fire(woven.net, marking, t)
        names.append(woven.net.transitions[t])
    assert "trip/reserve_hotel#undo.known[1]" in names
    assert names[-1] == "trip#ends.compensated"
    assert woven.net.transitions[: len(compiled.net.transitions)] == compiled.net.transitions
    path.write_text(words(*DOES_NOT["too early"][1]), encoding="utf-8")
    assert exercised(compiled, read(str(path)).cases[0]) is None


def test_what_a_run_exercised_keeps_to_the_faults_that_are_woven_in(tmp_path):
    from placet.faults.weave import Hypothesis, weave

    path = tmp_path / "a.log"
    path.write_text(words(*FITS["not known"][1]), encoding="utf-8")
    (case,) = read(str(path)).cases
    for budget, fits in ((1, False), (2, True)):
        woven = weave(subject(TRIP), Hypothesis(("slow",), budget, "transient")).compiled
        sequence = exercised(woven, case)
        assert (sequence is not None) == fits
    marking = woven.initial
    for t in sequence:
        marking = fire(woven.net, marking, t)
    channels = {c.place for c in woven.roles.channels}
    assert not any(marking[p] for p in channels)  # what was still on its way has arrived
