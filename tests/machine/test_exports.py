"""What is written for other tools, loaded by those tools, or by a reading of their rules, and run against the chart."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from machines import MODELS, Runner, compiled, of, subjects

from conftest import CHECKOUT
from placet.machine.events import clock_event, trigger
from placet.machine.label import Seen

ODD = (
    "workflow odd_names { receive end; receive state; task class; first of { receive a-b; receive a_b -> task go; timer 0.5h } end done }",
    "machine start { initial start; start --start / send start, start--> end; end --after 1h--> end; end --x--> start_; final start_ }",
    "machine m { initial a; a --after 1h--> b; a --X--> a; b --/ send P, Q--> c; c --after 2d--> a; c --Y--> d; final d }",
    "workflow w { parallel { { receive a; receive b } { first of { receive c; timer 2h -> task late } } } }",
)


def charts():
    for path in MODELS:
        for subject in subjects(path):
            made = of(subject)[1]
            if made is not None and len(made.moves) < 300:
                yield pytest.param(made, id=subject.subject)
    for text in ODD:
        yield pytest.param(of(compiled(text))[1], id=text[:20])


CHARTS = list(charts())


def walks(made, seed, steps=12):
    """Random runs of the chart: (events, the actions after each of them); the first ones before any event."""
    rng = random.Random(seed)
    for _ in range(4):
        runner = Runner(made)
        events, actions = [], [list(runner.done)]
        for _ in range(steps):
            moves = [m for m in made.of(runner.state) if trigger(made, m)]
            if not moves:
                break
            move = rng.choice(moves)
            before = len(runner.done)
            events.append(trigger(made, move))
            runner.take(move)
            actions.append(runner.done[before:])
        yield events, actions, made.states[runner.state]


# -- SCXML, by the rules of the Recommendation: sections 3.2 to 3.7, 6.2, 6.3, and the grammar of its schema

SCXML = "{http://www.w3.org/2005/07/scxml}"
NAME = re.compile(r"[^\W\d][\w.\-]*\Z")
EVENT = re.compile(r"[\w\-]+(\.[\w\-]+)*\Z")
CHILDREN = {
    "scxml": {"state", "final"}, "state": {"transition"}, "final": set(), "transition": {"send", "cancel"},
    "send": set(), "cancel": set(),
}  # fmt: skip
ATTRIBUTES = {
    "scxml": {"version", "datamodel", "name", "initial"}, "state": {"id"}, "final": {"id"}, "transition": {"event", "target"},
    "send": {"event", "type", "id", "delay"}, "cancel": {"sendid"},
}  # fmt: skip


def scxml_of(made):
    from xml.etree import ElementTree

    from placet.machine.scxml import scxml

    return ElementTree.fromstring(scxml(made))


@pytest.mark.parametrize("made", CHARTS)
def test_scxml_is_a_document_of_its_kind(made) -> None:
    root = scxml_of(made)
    assert root.tag == f"{SCXML}scxml"
    assert root.attrib["version"] == "1.0"
    assert root.attrib["datamodel"] == "null"
    ids = [state.attrib["id"] for state in root]
    assert len(ids) == len(set(ids)) >= 1
    assert all(map(NAME.match, [*ids, root.attrib["name"]]))
    assert root.attrib["initial"] in ids
    for element in root.iter():
        tag = element.tag.removeprefix(SCXML)
        assert {child.tag.removeprefix(SCXML) for child in element} <= CHILDREN[tag]
        assert set(element.attrib) <= ATTRIBUTES[tag]
        assert not (element.text or "").strip()
        if tag == "transition":
            assert element.attrib["target"] in ids
            assert EVENT.match(element.attrib.get("event", "x"))
        if tag == "send":
            assert EVENT.match(element.attrib["event"])
            assert re.fullmatch(r"\d+(\.\d+)?s", element.attrib.get("delay", "0s"))
            assert ("delay" in element.attrib) == ("id" in element.attrib) == ("type" not in element.attrib)
    clocks = [element.attrib["id"] for element in root.iter(f"{SCXML}send") if "id" in element.attrib]
    assert len({*ids, *clocks}) == len(ids) + len(clocks), "identifiers are of the type xsd:ID"
    assert {element.attrib["sendid"] for element in root.iter(f"{SCXML}cancel")} <= set(clocks)
    for state in root:
        events = [t.attrib.get("event") for t in state]
        assert len(events) == len(set(events)), "one move for an event, in each state"
        assert None not in events or len(events) == 1


def test_scxml_is_valid_by_the_schema() -> None:
    """By the XML Schema of the W3C, which is not ours to ship: its path is asked for."""
    schema = os.environ.get("PLACET_SCXML_XSD")
    if not schema:
        pytest.skip("PLACET_SCXML_XSD names no schema: https://www.w3.org/2011/04/SCXML/scxml.xsd")
    etree = pytest.importorskip("lxml.etree")
    from placet.machine.scxml import scxml

    validator = etree.XMLSchema(etree.parse(schema))
    for parameter in CHARTS:
        document = etree.fromstring(scxml(parameter.values[0]).encode())
        assert validator.validate(document), validator.error_log
    assert not validator.validate(etree.fromstring('<scxml xmlns="http://www.w3.org/2005/07/scxml" version="2"/>'))


class Scxml:
    """An interpreter of the part of SCXML that is written: one flat state, eventless transitions first."""

    def __init__(self, root) -> None:
        self.states = {s.attrib["id"]: s for s in root}
        self.at, self.done = root.attrib["initial"], []
        self._settle()

    def _settle(self):
        while self._take(None):
            pass

    def _take(self, event):
        for t in self.states[self.at]:
            if t.attrib.get("event") == event:
                for action in t:
                    kind = action.tag.removeprefix(SCXML)
                    if kind == "cancel":
                        entry = (kind, action.attrib["sendid"].rpartition(".")[0])  # of all that set one clock
                        if self.done[-1:] == [entry]:
                            continue
                    else:
                        entry = (kind, action.attrib["event"])
                    self.done.append(entry)
                self.at = t.attrib["target"]
                return True
        return False

    def send(self, event):
        assert self._take(event)
        self._settle()


def as_scxml(actions):
    from placet.machine.events import plain

    shown = {"send": lambda a: ("send", plain(a.name)), "start": lambda a: ("send", f"start.{plain(a.name)}"),
             "set": lambda a: ("send", clock_event(a.name)), "stop": lambda a: ("cancel", f"clock.{plain(a.name)}")}  # fmt: skip
    return [shown[a.kind](a) for a in actions]


@pytest.mark.parametrize("made", CHARTS)
def test_scxml_runs_as_the_chart_does(made) -> None:
    for events, actions, last in walks(made, 1):
        run = Scxml(scxml_of(made))
        assert run.done == as_scxml(actions[0])
        for event, did in zip(events, actions[1:], strict=True):
            before = len(run.done)
            run.send(event)
            assert run.done[before:] == as_scxml(did)
        assert run.at == last


# -- the Python package `transitions`


class Model:
    """Takes note of every action."""

    def __init__(self, done) -> None:
        self._done = done

    def __getattr__(self, word):
        if word.startswith("do_"):
            return lambda *_: self._done.append(word)
        raise AttributeError(word)


@pytest.mark.parametrize("made", CHARTS)
def test_transitions_runs_as_the_chart_does(made) -> None:
    library = pytest.importorskip("transitions")
    from placet.machine.pytransitions import configuration, name, names, transitions

    assert json.loads(transitions(made)) == configuration(made)
    for events, actions, last in walks(made, 2):
        done = []

        model = Model(done)
        library.Machine(model, **configuration(made))

        def at_once(model=model):
            while any(t["trigger"] == "go" and t["source"] == model.state for t in configuration(made)["transitions"]):
                assert model.go()

        def shown(some):
            return [name(f"do_{a.kind}_{clock_event(a.name) if a.kind in ('set', 'stop') else a.name}") for a in some]

        at_once()
        assert done == shown(actions[0])
        for event, did in zip(events, actions[1:], strict=True):
            before = len(done)
            assert getattr(model, names(made)[event])()
            at_once()
            assert done[before:] == shown(did)
        assert model.state == last


# -- XState, by the library itself

MODULES = Path(os.environ.get("PLACET_NODE_MODULES") or CHECKOUT / ".node" / "node_modules")
DRIVER = """
const { createActor, setup, SimulatedClock } = require("xstate");
const cases = JSON.parse(require("fs").readFileSync(0, "utf8"));
const results = cases.map(({ config, runs }) => runs.map((events) => {
  const done = [];
  const note = (type) => (_, params) => done.push([type, params.message ?? params.task ?? params.clock]);
  const actions = Object.fromEntries(["send", "start", "set", "stop"].map((type) => [type, note(type)]));
  const clock = new SimulatedClock();
  const actor = createActor(setup({ actions }).createMachine(config), { clock });
  actor.start();
  const log = [done.splice(0)];
  for (const event of events) {
    if (typeof event === "number") clock.increment(event); else actor.send({ type: event });
    log.push(done.splice(0));
  }
  return { log, state: actor.getSnapshot().value, status: actor.getSnapshot().status };
}));
process.stdout.write(JSON.stringify(results));
"""


def test_xstate_runs_as_the_charts_do() -> None:
    from placet.machine.chart import clock
    from placet.machine.label import seconds
    from placet.machine.xstate import configuration, xstate

    node = shutil.which("node")
    if node is None or not (MODULES / "xstate").is_dir():
        pytest.skip(f"no node with xstate in {MODULES}: `npm install --prefix .node xstate@5`")
    cases, expected = [], []
    for parameter in CHARTS:
        made = parameter.values[0]
        config = configuration(made)
        assert json.loads(xstate(made)) == config
        local = {c for s in config["states"].values() for c in s.get("after", {})}
        texts = {clock_event(clock(m.on)): m.on for m in made.moves if m.on is not None and m.on.kind is Seen.TIME}
        spoken = {n for s in config["states"].values() for n in s.get("on", {})}
        runs = []
        for events, actions, last in walks(made, 5):
            timed = [round(seconds(texts[e].time) * 1000) if e in texts and e not in spoken else e for e in events]
            assert all(str(e) in local for e in timed if isinstance(e, int))
            runs.append(timed)
            shown = [
                [[a.kind, clock_event(a.name) if a.kind in ("set", "stop") else a.name] for a in did
                 if a.kind in ("send", "start") or clock_event(a.name) in spoken]
                for did in actions
            ]  # fmt: skip
            expected.append((shown, last, config["states"][last].get("type") == "final"))
        cases.append({"config": config, "runs": runs})
    run = subprocess.run(
        [node, "-e", DRIVER], check=False, input=json.dumps(cases), capture_output=True, text=True, timeout=120,
        env={**os.environ, "NODE_PATH": str(MODULES)},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    results = [r for case in json.loads(run.stdout) for r in case]
    assert len(results) == len(expected) > 40
    for result, (shown, last, final) in zip(results, expected, strict=True):
        assert result["state"] == last
        assert result["log"] == shown
        assert (result["status"] == "done") == final


# -- diagrams


@pytest.mark.parametrize("made", CHARTS)
@pytest.mark.parametrize("form", ["plantuml", "mermaid"])
def test_diagrams_show_every_state_and_move(made, form) -> None:
    from placet.machine import diagrams

    lines = getattr(diagrams, form)(made).splitlines()
    assert lines[0] == {"plantuml": "@startuml", "mermaid": "stateDiagram-v2"}[form]
    inside = [line.strip() for line in lines[1:] if line != "@enduml"]
    names, arrows, rest = [], [], []
    for line in inside:
        if found := re.fullmatch(r'state "([^"]+)" as (s\d+)', line):
            names.append(found[2])
        elif found := re.fullmatch(r"(s\d+|\[\*\]) --> (s\d+|\[\*\])( : [^:;{}<>\"#%]+)?", line):
            arrows.append(found.groups()[:2])
        else:
            rest.append(line)
    assert rest == []
    assert names == [f"s{n}" for n in range(len(made.states))]
    wanted = [("[*]", f"s{made.initial}"), *((f"s{m.source}", f"s{m.target}") for m in made.moves)]
    assert arrows == [*wanted, *((f"s{n}", "[*]") for n in sorted(made.finals))]
