"""A first model from recorded runs: what the user would have written, to be read and mended by the user.

Two are made, a saga and a workflow, as far as the runs allow; each is held against the runs that it was made from, and the
one that fits more of them is taken.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from placet.conform.conform import hold_all
from placet.conform.discover import Leaf, discover
from placet.conform.native import plain
from placet.conform.step_functions import SOURCE as STEP_FUNCTIONS
from placet.conform.step_functions import as_run
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from placet.conform.discover import Trace, Tree
    from placet.conform.hold import Held
    from placet.conform.record import Case, Event

MOST_ORDERS = 50  # of the same run, where activities overlap
_FAILURES = ("failed", "refused", "timed_out")
_END = "end "
_KNOWN_ENDS = ("completed", "failed", "compensated")


class Proposal(NamedTuple):
    """A model as text, and what came out when the runs were held against it."""

    text: str
    held: tuple[Held, ...]

    @property
    def fitting(self) -> int:
        """How many of the runs conform."""
        return sum(1 for held in self.held if held.verdict == "conforms")


class Run(NamedTuple):
    """A run up to its first failure, and after it. `orders` are further orders of `done`, where activities overlapped."""

    done: Trace
    failed: tuple[str, str] | None
    after: Trace
    end: str
    orders: tuple[Trace, ...] = ()


def propose(cases: Sequence[Case], name: str = "") -> Proposal | None:
    """A model of these runs; None where no run of them did anything to its end."""
    told = [as_run(case) if case.source == STEP_FUNCTIONS else case for case in cases]
    whole = [summed(case) for case in told if case.complete]
    runs = [run for run in whole if run.done or run.failed]
    if not runs:
        return None
    name = word(name or _called(cases))
    asked = {plain(e.name) for case in told for e in case.events if e.kind == "step" and e.what == "scheduled"}
    texts = [_workflow(name, runs)]
    undos = undone(runs)
    if undos:
        texts.insert(0, _saga(name, runs, undos, _services(told), asked))
    found = [made for text in texts if (made := _tried(text, cases)) is not None]
    return max(found, key=lambda made: made.fitting, default=None)


def _tried(text: str, cases: Sequence[Case]) -> Proposal | None:
    """The text in its usual layout, held against the runs; None where it does not compile."""
    from placet.pipeline import compile_source
    from placet.source import SourceFile
    from placet.syntax.parser import parse
    from placet.syntax.printer import render

    tree, problems = parse(SourceFile("proposal.placet", text))
    if any(p.severity == "error" for p in problems):
        return None
    text = render(tree)
    loaded = compile_source(SourceFile("proposal.placet", text))
    if loaded.broken or not loaded.compiled:
        return None
    return Proposal(text, tuple(hold_all(loaded.compiled[0], cases)))


# -- what a run did --------------------------------------------------------------------------------------------------


def summed(case: Case) -> Run:
    """A run as names of what was done, up to its first failure and after it. A failure that is tried again is none."""
    done: list[str] = []
    after: list[str] = []
    failed: tuple[str, str] | None = None
    end = ""
    intervals: list[tuple[str, int, int]] = []
    began: dict[str, int] = {}
    for n, event in enumerate(case.events):
        key = plain(event.name)
        if event.what in ("scheduled", "started"):
            began.setdefault(key, n)
        elif event.kind == "execution" and event.what != "started":
            end = (
                event.name
                if event.what == "ended"
                else {"succeeded": "completed", "failed": "failed"}.get(event.what, "")
            )
        elif event.what in _FAILURES and event.kind in ("step", "child"):
            if failed is None and not _tried_again(case.events, n):
                failed = (event.name, event.error or ("timeout" if event.what == "timed_out" else ""))
        elif event.what in ("succeeded", "arrived") and event.kind in ("step", "undo", "signal", "child"):
            said = event.name if event.kind != "signal" else f"receive {event.name}"
            said = f"undo {event.name}" if event.kind == "undo" else said
            if failed is None:
                intervals.append((said, began.pop(key, n), n))
                done.append(said)
            else:
                after.append(said)
    if end and end not in _KNOWN_ENDS:
        (done if failed is None else after).append(_END + end)
    orders = _orders(intervals) if failed is None and len(done) == len(intervals) else ()
    return Run(tuple(done), failed, tuple(after), end, orders)


def _tried_again(events: Sequence[Event], at: int) -> bool:
    """Whether the next thing that the run does is the same step again."""
    failed = events[at]
    following = next((e for e in events[at + 1 :] if e.kind in ("step", "undo", "execution")), None)
    return following is not None and following.kind == "step" and plain(following.name) == plain(failed.name)


def _orders(intervals: list[tuple[str, int, int]]) -> tuple[Trace, ...]:
    """Orders of the same run in which neighbours that overlapped are exchanged."""
    first = tuple(intervals)
    seen = {first}
    pending = [first]
    while pending and len(seen) < MOST_ORDERS:
        order = pending.pop()
        for i in range(len(order) - 1):
            (_, begin_a, _), (_, begin_b, end_b) = order[i], order[i + 1]
            end_a = order[i][2]
            if begin_b < end_a and begin_a < end_b:
                other = (*order[:i], order[i + 1], order[i], *order[i + 2 :])
                if other not in seen:
                    seen.add(other)
                    pending.append(other)
    return tuple(tuple(name for name, _, _ in order) for order in seen)


def undone(runs: Sequence[Run]) -> dict[str, str]:
    """Which step is undone by what: by the runs that failed. Empty where what they did afterwards is no undoing."""
    turned = [run for run in runs if run.failed is not None and run.after]
    if not turned:
        return {}
    found: dict[str, str] = {}
    steps = {a for run in runs for a in run.done}
    for name in sorted({a for run in turned for a in run.after}):
        if name in steps or name.startswith(("receive ", _END)):
            return {}
        if name.startswith("undo "):
            step = name.removeprefix("undo ")
            found[step] = name.replace(" ", "_")
            continue
        known = [s for s in sorted(steps) if s not in found]
        exact = [s for s in known if all((name in run.after) == (s in run.done) for run in turned)]
        fits = exact or [
            s
            for s in known
            if all(s in (*run.done, run.failed[0]) for run in turned if name in run.after and run.failed)
        ]
        if not fits:
            return {}
        found[max(fits, key=lambda s: (_alike(s, name), s))] = name
    return found


def _alike(one: str, other: str) -> float:
    from difflib import SequenceMatcher

    return SequenceMatcher(None, plain(one)[:80], plain(other)[:80]).ratio()


# -- as text ---------------------------------------------------------------------------------------------------------


def _workflow(name: str, runs: Sequence[Run]) -> str:
    task = _tasks(runs)
    body = _text(_main(runs), task)
    failed = [run for run in runs if run.failed is not None]
    if any(run.after or run.end != "failed" for run in failed):
        ends = {run.end for run in failed if not (run.after and run.after[-1].startswith(_END))}
        last = {
            frozenset(("failed",)): "end failed",
            frozenset(("completed", "failed")): "either { end failed } or { }",
        }
        after = _text(discover(run.after for run in failed), lambda called: f"task {word(called)}")
        body = f"try {{ {body} }} on any {{ {after} {last.get(frozenset(ends), '')} }}"
    return f"workflow {name} {{ {body} }}"


def _tasks(runs: Sequence[Run]) -> Callable[[str], str]:
    """How a task is written, with the errors that it had."""
    errors: dict[str, dict[str, None]] = {}
    for run in runs:
        if run.failed is not None:
            errors.setdefault(plain(run.failed[0]), {})[word(run.failed[1] or "failure")] = None

    def task(called: str) -> str:
        fails = errors.get(plain(called))
        return f"task {word(called)}" + (f" fails {', '.join(fails)}" if fails else "")

    return task


def _saga(name: str, runs: Sequence[Run], undos: dict[str, str], services: dict[str, str], asked: set[str]) -> str:
    """What is asked for is a step; what a log that shows requests never asks for is a task of the coordinator."""
    task = _tasks(runs)

    def step(called: str) -> str:
        if asked and plain(called) not in asked:
            return task(called)
        on = f" on {word(services[plain(called)])}" if plain(called) in services else ""
        undo = undos.get(called)
        return f"step {word(called)}{on} {{ {f'undo {word(undo)}' if undo else ''} }}"

    declared = "\n".join(f"service {word(s)}" for s in sorted(set(services.values())))
    return f"{declared}\nsaga {name} {{ {_text(_main(runs), step)} }}"


def _main(runs: Sequence[Run]) -> Tree:
    """What runs without a failure do; where all have failed, what they had done, with the step that failed."""
    good = [order for run in runs if run.failed is None for order in (run.done, *run.orders)]
    seen = {a for trace in good for a in trace}
    for run in runs:
        if run.failed is not None and (not good or run.failed[0] not in seen or not seen.issuperset(run.done)):
            good.append((*run.done, run.failed[0]))
    return discover(good)


def _text(tree: Tree, leaf: Callable[[str], str]) -> str:
    """A tree as statements. Recurses over its depth, which is bounded."""
    if isinstance(tree, Leaf):
        if not tree.name:
            return ""
        first, _, rest = tree.name.partition(" ")
        if first == "end" and rest:
            return f"end {word(rest)}"
        return f"receive {word(rest)}" if first == "receive" and rest else leaf(tree.name)
    parts = [_text(part, leaf) for part in tree.parts]
    if tree.kind == "then":
        return "\n".join(parts)
    if tree.kind == "or":
        return "either " + " or ".join(f"{{ {part} }}" for part in parts)
    if tree.kind == "and":
        return "parallel { " + " ".join(f"{{ {part} }}" for part in parts) + " }"
    body, rounds = parts[0], list(parts[1:])
    if body and not any(rounds):
        return f'loop {{ {body} }} until "it is done"'
    choice = rounds[0] if len(rounds) == 1 else "either " + " or ".join(f"{{ {part} }}" for part in rounds)
    return f'{body}\nwhile "there is more" {{ {choice}\n{body} }}'


def word(name: str) -> str:
    """A name of the language: `ReserveCar` becomes `reserve_car`."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name)
    made = re.sub(r"[^a-z0-9]+", "_", snake.lower()).strip("_")[:60]
    if not made:
        return "step"
    return made if not made[0].isdigit() else f"s_{made}"


def _called(cases: Sequence[Case]) -> str:
    """The type of the workflow, where a log says it; else the log."""
    for case in cases:
        for event in case.events:
            if event.kind == "execution" and event.what == "started" and event.name:
                return event.name
    path = cases[0].path.replace("\\", "/").rsplit("/", 1)[-1] if cases else ""
    return path.split(".", 1)[0] or "process"


def _services(cases: Sequence[Case]) -> dict[str, str]:
    """The service of a step, where the runs say it."""
    found: dict[str, str] = {}
    for case in cases:
        for event in case.events:
            if event.kind == "step" and event.service and case.source == "runs":
                found.setdefault(plain(event.name), event.service)
    return found
