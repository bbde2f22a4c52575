"""Recorded executions of AWS Step Functions held against their definitions, as they are and changed in seeded ways.

    python benchmarks/conform.py [--corpora FOLDER] [--seed N] [--rounds N] [--list]

Every recorded execution must conform, and what is no execution must be refused. A changed history can still be one: a state
that may be left out, repeated or exchanged with its neighbour, an error that any handler would take as well. For each
change that is accepted `reason` looks in the definition, by code that shares nothing with placet, whether that is so; one
without a reason is an error. Rates are printed for all definitions and for those with three and more states.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import sys
from collections import Counter
from pathlib import Path
from time import perf_counter
from typing import Any

from placet.conform.conform import conform
from placet.conform.json_stream import Item
from placet.conform.record import Log
from placet.conform.step_functions import cases
from placet.pipeline import compile_source
from placet.source import SourceFile

BESIDE = Path(__file__).resolve().parent.parent.parent / "shared" / "corpora"
Json = dict[str, Any]
FAILURES = ("TaskFailed", "TaskTimedOut", "LambdaFunctionFailed", "ActivityFailed", "EvaluationFailed", "MapRunFailed")
DETAILS = (
    ("state", "name"), ("mapState", "name"), ("error", "error"), ("cause", "cause"), ("index", "index"), ("length", "length"),
    ("resource", "resource"), ("resourceType", "resourceType"),
)  # fmt: skip


def spelt(event: Json) -> Json:
    """The event as the service prints it: its details in an object named after its type."""
    kind = event["type"]
    base = "stateEntered" if kind.endswith("StateEntered") else "stateExited" if kind.endswith("StateExited") else ""
    details = {to: event[key] for key, to in DETAILS if event.get(key) is not None}
    found = {key: event.get(key) for key in ("id", "previousEventId", "type")}
    return {**found, **({(base or kind[0].lower() + kind[1:]) + "EventDetails": details} if details else {})}


def held(definition: Json, events: list[Json]) -> tuple[str, str]:
    """conforms, violates or unknown, and why."""
    loaded = compile_source(SourceFile("machine.asl.json", json.dumps(definition)))
    if loaded.broken:
        return "broken", loaded.diagnostics[0].message
    items = (Item(0, 1, spelt(event)) for event in events)
    found = conform(loaded, loaded.compiled[0], [Log("history", tuple(cases("history", items)))])
    (one,) = found.held
    where = f"{one.event.type} {one.event.name}: " if one.event else ""
    return one.verdict, where + one.reason


# -- changes ---------------------------------------------------------------------------------------------------------


def renumbered(events: list[Json]) -> list[Json]:
    """With ids from 1 in their order. What followed an event that is gone follows what that one followed.

    `previousEventId` names the old ids; an event that is there twice is followed by what comes after its second copy.
    """
    gone: dict[int, int] = {e["was"]: e["cause_was"] for e in events if "was" in e}
    number: dict[int, int] = {0: 0}
    made = []
    for n, event in enumerate(events, 1):
        cause = event["previousEventId"]
        while cause not in number and cause in gone:
            cause = gone[cause]
        made.append({**event, "id": n, "previousEventId": number.get(cause, n - 1)})
        number[event["id"]] = n
    return made


def block(events: list[Json], at: int) -> tuple[int, int] | None:
    """From the entry of a state to its exit; None where it is not left, or where others run between."""
    entry = events[at]
    for end in range(at + 1, len(events)):
        if events[end]["type"].endswith("StateExited") and events[end].get("enteredEventId") == entry["id"]:
            inside = events[at : end + 1]
            scope = entry.get("scope", [])
            if all("scope" not in e or e["scope"][: len(scope)] == scope for e in inside):
                return at, end + 1
            return None
    return None


def blocks(events: list[Json]) -> list[tuple[int, int]]:
    return [b for i, e in enumerate(events) if e["type"].endswith("StateEntered") and (b := block(events, i))]


def lacking(events: list[Json], begin: int, end: int) -> list[Json]:
    """Without these events; those after them follow what came before."""
    before = events[begin]["previousEventId"]
    ids = {e["id"] for e in events[begin:end]}
    rest = events[:begin] + events[end:]
    return renumbered([{**e, "previousEventId": before} if e["previousEventId"] in ids else e for e in rest])


def renamed(events: list[Json], old: str, new: str) -> list[Json]:
    keys = ("state", "inState", "mapState", "from")
    return [{**e, **{k: new for k in keys if e.get(k) == old}} for e in events]


def changes(events: list[Json], definition: Json, draw: random.Random) -> dict[str, tuple[list[Json], Json]]:
    """Changed histories by kind, each with what is needed to judge it."""
    made: dict[str, tuple[list[Json], Json]] = {}
    entered = [i for i, e in enumerate(events) if e["type"].endswith("StateEntered")]
    found = blocks(events)
    states = every_state(definition)
    if entered:
        name = events[draw.choice(entered)]["state"]
        made["foreign state"] = renamed(events, name, "Foreign" + name), {}
        others = [n for n, (s, _) in states.items() if n != name and s["Type"] == states[name][0]["Type"]]
        if others:
            at = draw.choice(entered)
            name = events[at]["state"]
            others = [n for n, (s, _) in states.items() if n != name and s["Type"] == states[name][0]["Type"]]
            if others:
                other = draw.choice(others)
                made["other state"] = renamed(events, name, other), {"old": name, "new": other}
    if found:
        begin, end = draw.choice(found)
        name = events[begin]["state"]
        after = next((e["state"] for e in events[end:] if e.get("from") == name), None)
        before = events[begin].get("from")
        made["state dropped"] = (
            lacking(events, begin, end),
            {"name": name, "before": before, "after": after, "scope": events[begin].get("scope")},
        )
        begin, end = draw.choice(found)
        made["state duplicated"] = twice(events, begin, end), {"name": events[begin]["state"]}
        pairs = [
            (a, b) for a in found for b in found if a[1] == b[0] and events[b[0]].get("from") == events[a[0]]["state"]
        ]
        if pairs:
            a, b = draw.choice(pairs)
            made["states swapped"] = swapped(events, a, b), {"a": events[a[0]]["state"], "b": events[b[0]]["state"]}
    inner = range(1, len(events) - 1)
    if inner:
        at = draw.choice(inner)
        made["event dropped"] = lacking(events, at, at + 1), {"event": events[at]}
        at = draw.choice(inner)
        made["event duplicated"] = doubled(events, at), {"event": events[at]}
    if len(events) > 4:
        at = draw.randrange(1, len(events) - 2)
        made["events swapped"] = exchanged(events, at), {"a": events[at], "b": events[at + 1]}
    errors(events, draw, made)
    last = events[-1]
    end = {"ExecutionSucceeded": "ExecutionFailed", "ExecutionFailed": "ExecutionSucceeded"}.get(last["type"])
    if end:
        more = {"error": "Nowhere.Raised"} if end == "ExecutionFailed" else {"error": None}
        made["other end"] = [*events[:-1], {**last, "type": end, **more}], {}
    return made


def errors(events: list[Json], draw: random.Random, made: dict[str, tuple[list[Json], Json]]) -> None:
    """Wrong names of errors: where one is raised, where it ends the execution, and everywhere."""
    raised = [i for i, e in enumerate(events) if e["type"] in FAILURES and e.get("error")]
    if raised:
        at = draw.choice(raised)
        old = events[at]["error"]
        changed = [{**e, "error": "Wrong.Error"} if i == at else e for i, e in enumerate(events)]
        more = {"old": old, "state": events[at].get("inState") or events[at].get("state"), "type": events[at]["type"]}
        made["error changed"] = changed, more
        changed = [{**e, "error": "Wrong.Error"} if e.get("error") == old else e for e in events]
        made["error changed everywhere"] = changed, more
    if events[-1].get("error"):
        made["error at the end"] = [*events[:-1], {**events[-1], "error": "Wrong.Error"}], {}


def twice(events: list[Json], begin: int, end: int) -> list[Json]:
    """A state, and then the same state again."""
    top = max(e["id"] for e in events) + 1
    copies = {e["id"]: top + n for n, e in enumerate(events[begin:end])}
    leaving = events[end - 1]["id"]
    again = []
    for n, e in enumerate(events[begin:end]):
        cause = leaving if n == 0 else copies.get(e["previousEventId"], e["previousEventId"])
        if n and e["previousEventId"] == events[begin]["previousEventId"]:
            cause = leaving  # an evaluation that fails follows what the entry followed
        again.append({**e, "id": copies[e["id"]], "previousEventId": cause})
    rest = [{**e, "previousEventId": copies.get(e["previousEventId"], e["previousEventId"])} for e in events[end:]]
    return renumbered([*events[:end], *again, *rest])


def swapped(events: list[Json], a: tuple[int, int], b: tuple[int, int]) -> list[Json]:
    """Two states that follow each other, the second one first."""
    first, second = events[a[0] : a[1]], events[b[0] : b[1]]
    before, middle, last = first[0]["previousEventId"], first[-1]["id"], second[-1]["id"]
    second = [{**e, "previousEventId": before} if e["previousEventId"] == middle else e for e in second]
    first = [{**e, "previousEventId": last} if e["previousEventId"] == before else e for e in first]
    rest = [{**e, "previousEventId": middle} if e["previousEventId"] == last else e for e in events[b[1] :]]
    return renumbered([*events[: a[0]], *second, *first, *rest])


def doubled(events: list[Json], at: int) -> list[Json]:
    """One event twice."""
    top = max(e["id"] for e in events) + 1
    old = events[at]["id"]
    again = {**events[at], "id": top, "previousEventId": old}
    rest = [
        {**e, "previousEventId": top if e["previousEventId"] == old else e["previousEventId"]} for e in events[at + 1 :]
    ]
    return renumbered([*events[: at + 1], again, *rest])


def exchanged(events: list[Json], at: int) -> list[Json]:
    """Two events that follow each other, exchanged, with the ids of their places."""
    a, b = events[at], events[at + 1]
    ids = {a["id"]: b["id"], b["id"]: a["id"]}
    first = {**b, "id": a["id"], "previousEventId": a["previousEventId"]}
    second = {
        **a,
        "id": b["id"],
        "previousEventId": a["id"] if b["previousEventId"] == a["id"] else b["previousEventId"],
    }
    del ids
    return [*events[:at], first, second, *events[at + 2 :]]


# -- whether a change is one at all: by the definition alone ---------------------------------------------------------


def every_state(definition: Json) -> dict[str, tuple[Json, Json]]:
    """All states by name, each with the machine it is in."""
    found: dict[str, tuple[Json, Json]] = {}
    pending = [definition]
    for machine in pending:
        for name, state in machine["States"].items():
            found[name] = state, machine
            pending += state.get("Branches", [])
            pending += [state[key] for key in ("ItemProcessor", "Iterator") if key in state]
    return found


def follows(state: Json) -> set[str | None]:
    """What can come after a state that does not fail; None for the end of its machine."""
    if state["Type"] == "Choice":
        return {rule["Next"] for rule in state["Choices"]} | ({state["Default"]} if "Default" in state else set())
    return {state.get("Next")}


def taken_by(state: Json, error: str, field: str) -> int:
    """The entry of `Retry` or `Catch` that takes an error."""
    for n, entry in enumerate(state.get(field, [])):
        names = entry["ErrorEquals"]
        if error in names or ("States.ALL" in names and error != "States.Runtime"):
            return n
        if "States.TaskFailed" in names and error not in ("States.Timeout", "States.Runtime"):
            return n
    return -1


def reason(kind: str, changed: list[Json], more: Json, definition: Json) -> str:
    """Why the definition allows a changed history; empty where it does not."""
    states = every_state(definition)
    if kind == "state duplicated" and more["name"] in follows(states[more["name"]][0]):
        return "the state leads to itself"
    if kind == "state dropped":
        state, machine = states[more["name"]]
        before = follows(states[more["before"]][0]) if more["before"] else {machine["StartAt"]}
        if more["after"] in before:
            return "another way leads past the state"
    if kind == "states swapped" and more["a"] == more["b"]:
        return "both are the same state"
    if kind == "other state":
        old, new = states[more["old"]], states[more["new"]]
        if (
            old[1] is new[1]
            and {k: v for k, v in old[0].items() if k != "Next"}.keys()
            and follows(old[0]) & follows(new[0])
        ):
            ways = [follows(s) for s, m in states.values() if m is old[1] and more["old"] in follows(s)]
            if all(more["new"] in way for way in ways) and (old[1]["StartAt"] != more["old"]):
                return "a choice leads to either state"
    if kind.startswith("error changed") and more["state"]:
        state = states[more["state"]][0]
        same = all(taken_by(state, more["old"], f) == taken_by(state, "Wrong.Error", f) for f in ("Retry", "Catch"))
        caught = taken_by(state, "Wrong.Error", "Catch") >= 0 or taken_by(state, "Wrong.Error", "Retry") >= 0
        if more["type"] != "EvaluationFailed" and same and (caught or kind.endswith("everywhere")):
            return "a task may fail with any error, and the same handlers take it"
    if kind == "event dropped":
        return reason_dropped(more["event"], changed)
    if kind == "error at the end":
        failed = next((e for e in reversed(changed) if e["type"] == "FailStateEntered"), None)
        if failed and "{%" in states[failed["state"]][0].get("Error", "{%"):
            return "the name of the error comes from the data"
    if kind == "events swapped":
        scopes = [e.get("scope") for e in (more["a"], more["b"])]
        if None not in scopes and scopes[0] != scopes[1]:
            return "the events are of items or branches that run at the same time"
    return ""


def reason_dropped(event: Json, changed: list[Json]) -> str:
    """Why an event need not be there."""
    if changed[-1]["type"] == "ExecutionAborted":
        return "an execution can be stopped at any time"
    if event["type"] == "TaskSubmitted" and any(e["type"] in FAILURES for e in changed):
        return "a call can fail before it is handed over"
    if event["type"] == "MapStateStarted" and changed[-1].get("error") == "States.Runtime":
        return "a Map can fail before it starts"
    return ""


# -- the measurement -------------------------------------------------------------------------------------------------


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpora", type=Path, default=Path(os.environ.get("PLACET_CORPORA", BESIDE)))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1, help="changes of each kind for each execution")
    parser.add_argument("--list", action="store_true", help="list every change that is accepted")
    given = parser.parse_args()
    files = sorted((given.corpora / "asl" / "histories").glob("*.json"))
    whole: Counter[tuple[str, bool]] = Counter()
    tally: dict[bool, Counter[tuple[str, str]]] = {False: Counter(), True: Counter()}
    reasons: Counter[str] = Counter()
    times: list[float] = []
    for file in files:
        recorded = json.loads(file.read_text(encoding="utf-8"))
        definition, events = recorded["definition"], recorded["events"]
        large = len(every_state(definition)) >= 3
        begun = perf_counter()
        verdict, why = held(definition, events)
        times.append(perf_counter() - begun)
        whole[verdict, large] += 1
        if verdict != "conforms":
            print(f"{verdict}: {file.name}: {why}")
        if recorded["order_lost"] or not recorded["verified"]:
            continue
        draw = random.Random(f"{given.seed} {file.name}")
        for _ in range(given.rounds):
            for kind, (changed, more) in changes(events, definition, draw).items():
                if [spelt(e) for e in changed] == [spelt(e) for e in events]:
                    continue
                verdict, _ = held(definition, changed)
                told = "refused" if verdict == "violates" else verdict
                if told == "conforms":
                    why = reason(kind, changed, more, definition)
                    told = "legal" if why else "ACCEPTED"
                    reasons[f"{kind}: {why or 'no reason found'}"] += 1
                    if given.list or not why:
                        print(f"{told}: {kind}: {file.name} {recorded['id'][-60:]}: {why} {json.dumps(more)[:200]}")
                tally[large][kind, told] += 1
    return report(whole, tally, reasons, times)


def report(whole: Counter, tally: dict[bool, Counter], reasons: Counter[str], times: list[float]) -> int:
    outcomes = ("refused", "legal", "unknown", "broken", "ACCEPTED")
    for title, sizes in (("all definitions", (False, True)), ("three and more states", (True,))):
        counted = {v: sum(whole[v, s] for s in sizes) for v in ("conforms", "violates", "unknown", "broken")}
        print(f"\n{title}: recorded executions {counted}")
        kinds = dict.fromkeys(kind for s in sizes for kind, _ in tally[s])
        total: Counter[str] = Counter()
        for kind in kinds:
            row = {o: sum(tally[s][kind, o] for s in sizes) for o in outcomes}
            total.update(row)
            print(f"  {kind:26}" + "".join(f" {o} {n:5}" for o, n in row.items() if n or o == "refused"))
        made = sum(total.values())
        if made:
            print(f"  {made} changes: {total['refused'] / made:.1%} refused, {total['legal']} legal, {total['ACCEPTED']} accepted without a reason, {total['unknown']} unknown")  # fmt: skip
    print("\nwhy a change was accepted")
    for why, count in reasons.most_common():
        print(f"  {count:5} {why}")
    times.sort()
    if times:
        print(
            f"\nloading and holding one: median {statistics.median(times) * 1e3:.0f} ms, worst {times[-1] * 1e3:.0f} ms"
        )
    wrong = sum(n for (verdict, _), n in whole.items() if verdict != "conforms")
    wrong += sum(n for counts in tally.values() for (_, told), n in counts.items() if told in ("ACCEPTED", "broken"))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
