"""Small ways to break a saga that is covered: each must lose an obligation, or be shown to change nothing.

Dropped: an undo, a guarantee, a catch (a handler, the rule for an error, the handler of an end), a join. Swapped: two services of which only one
knows the undo, two steps of which one is the point of no return or behind it. Widened: a time-out, for ever.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from placet.advice.telling import ir_of
from placet.compile.vocabulary import statements
from placet.compile.workflow_to_net import process_to_net
from placet.coverage.sliced import measure
from placet.evidence import Budget
from placet.faults.weave import weave
from placet.ir import model as ir
from placet.pipeline import load

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from placet.compiled import Compiled
    from placet.coverage.measure import Measured
    from placet.faults.hypothesis import Hypothesis

MOST = Budget(states=300_000)


class Mutant(NamedTuple):
    """A model with one change, its name, and the kind of the change."""

    name: str
    kind: str
    sagas: tuple[Compiled, ...]


def rewrite(value: Any, change: Callable[[Any], Any]) -> Any:
    """Replace parts of a tree, outermost first; `change` gives None to leave one as it is."""
    if isinstance(value, tuple):
        if hasattr(value, "_fields"):
            new = change(value)
            if new is not None:
                return new
            return type(value)(*(rewrite(v, change) for v in value))
        return tuple(rewrite(v, change) for v in value)
    return value


def originals(file: Path) -> tuple[Compiled, ...]:
    """The sagas of a model: what is measured."""
    model = ir_of(str(file))
    if model is not None and any(isinstance(s, ir.Step) for p in model.processes for s in statements(p.body)):
        return _sagas(model)
    return _imported(file)


def mutants(file: Path, folder: Path) -> Iterator[Mutant]:
    """Every single change of a model; those of an imported definition are made on copies of its files in `folder`."""
    model = ir_of(str(file))
    if model is None or not any(isinstance(s, ir.Step) for p in model.processes for s in statements(p.body)):
        yield from _of_files(file, folder)
        return
    for name, kind, changed in _of_model(model):
        yield Mutant(name, kind, _sagas(changed))


def _sagas(model: ir.Model) -> tuple[Compiled, ...]:
    """The sagas that no other saga calls, each by itself."""
    processes = {p.id: p for p in model.processes}
    called = {
        s.target for p in model.processes if p.kind == "saga" for s in statements(p.body) if isinstance(s, ir.Call)
    }
    found = []
    for process in model.processes:
        if process.kind == "saga" and process.id not in called:
            compiled, problems = process_to_net(process, processes)
            assert not [d for d in problems if d.severity == "error"]
            if compiled.roles.steps:
                found.append(compiled)
    return tuple(found)


def measured(saga: Compiled, hypothesis: Hypothesis) -> Measured:
    """Its coverage."""
    woven = weave(saga._replace(queries=(), observers=()), hypothesis).compiled
    found = measure(woven, hypothesis.budget, MOST)
    assert found.coverage.size.complete, saga.subject
    return found


def same(one: Compiled, other: Compiled) -> bool:
    """Whether two sagas are the same net with the same roles: what a step is promised to do then makes no difference."""
    steps = [[s._replace(guarantees=()) for s in c.roles.steps] for c in (one, other)]
    return one.net == other.net and one.roles.transitions == other.roles.transitions and steps[0] == steps[1]


def _of_model(model: ir.Model) -> Iterator[tuple[str, str, ir.Model]]:
    for n, process in enumerate(model.processes):
        found = list(statements(process.body))

        def with_(change: Callable[[Any], Any], n: int = n) -> ir.Model:
            body = rewrite(model.processes[n].body, change)
            return model._replace(
                processes=(*model.processes[:n], model.processes[n]._replace(body=body), *model.processes[n + 1 :])
            )

        def put(old: Any, new: Any) -> ir.Model:
            return with_(lambda v: new if type(v) is type(old) and v == old else None)

        steps = [s for s in found if isinstance(s, ir.Step)]
        if not steps:
            continue
        for s in steps:
            if s.undo is not None:
                yield f"drop the undo of {s.name}", "undo", put(s, s._replace(undo=None))
            if s.timeout is not None:
                yield f"widen the time-out of {s.name} for ever", "time-out", put(s, s._replace(timeout=None))
            for guarantee in sorted(s.guarantees):
                kept = s._replace(guarantees=s.guarantees - {guarantee})
                yield f"drop {guarantee} of {s.name}", "guarantee", put(s, kept)
            for rule in s.errors:
                kept = s._replace(errors=tuple(r for r in s.errors if r != rule))
                yield f"drop the rule for {rule.error} of {s.name}", "catch", put(s, kept)
        for scope in [s for s in found if isinstance(s, ir.Scope) and s.handlers]:
            for h in scope.handlers:
                left = scope._replace(handlers=tuple(x for x in scope.handlers if x != h))
                yield f"drop the catch {h.name}", "catch", put(scope, left)
        for fork in [s for s in found if isinstance(s, ir.Parallel)]:
            policy = process.policy._replace(siblings="abandon")
            changed = (*model.processes[:n], process._replace(policy=policy), *model.processes[n + 1 :])
            yield f"drop the join of {fork.id}", "join", model._replace(processes=changed)
        with_undo = [s for s in steps if s.undo is not None]
        for a, b in zip(with_undo, with_undo[1:], strict=False):
            new = a._replace(service=b.service, guarantees=b.guarantees, undo=None)
            yield f"swap: {a.name} goes to {b.service}, which has no undo for it", "swap", put(a, new)
        for sequence in [s for s in found if isinstance(s, ir.Sequence)]:
            for i, (a, b) in enumerate(zip(sequence.parts, sequence.parts[1:], strict=False)):
                if isinstance(a, ir.Step) and isinstance(b, ir.Step) and _class(a) != _class(b):
                    parts = (*sequence.parts[:i], b, a, *sequence.parts[i + 2 :])
                    yield f"swap: {b.name} before {a.name}", "swap", put(sequence, sequence._replace(parts=parts))


def _class(step: ir.Step) -> tuple[bool, bool]:
    """Of two steps that can be undone, or two that only read, it makes no difference which comes first."""
    return step.pivot, step.retriable


# -- of imported definitions ------------------------------------------------------------------------------------------


def _imported(file: Path) -> tuple[Compiled, ...]:
    compiled = [c.called or c for c in load(file).compiled]
    return tuple(c for c in compiled if c.roles.steps)


def _of_files(file: Path, folder: Path) -> Iterator[Mutant]:
    text = file.read_text(encoding="utf-8")
    if not text.count("\nannotate "):
        return
    (name,) = re.findall(r'^annotate "([^"]+)"', text, re.MULTILINE)
    definition = json.loads((file.parent / name).read_text(encoding="utf-8"))

    def made(words: str, kind: str, sidecar: str, machine: Any) -> Mutant:
        (folder / file.name).write_text(sidecar, encoding="utf-8")
        (folder / name).write_text(json.dumps(machine), encoding="utf-8")
        return Mutant(words, kind, _imported(folder / file.name))

    def without(state: str, key: str) -> Any:
        left = {k: v for k, v in definition["States"][state].items() if k != key}
        return {**definition, "States": {**definition["States"], state: left}}

    for found in re.finditer(r"^  (\w+).*?( undone by \w+)", text, re.MULTILINE):
        sidecar = text[: found.start(2)] + text[found.end(2) :]
        yield made(f"drop the undo of {found[1]}", "undo", sidecar, definition)
    for service in re.finditer(r"^service (\w+) \{([^}]*)\}", text, re.MULTILINE):
        promises = [p.strip() for p in service[2].split(";")]
        for p in promises:
            left = "; ".join(other for other in promises if other != p)
            sidecar = text[: service.start(2)] + f" {left} " + text[service.end(2) :]
            yield made(f"drop {p} of {service[1]}", "guarantee", sidecar, definition)
    forward = set(re.findall(r"^  (\w+).* undone by", text, re.MULTILINE))
    for state, value in definition["States"].items():
        if state in forward:
            for key, kind, words in (("Catch", "catch", "the catch"), ("TimeoutSeconds", "time-out", "the time-out")):
                if key in value:
                    yield made(f"drop {words} of {state}", kind, text, without(state, key))
