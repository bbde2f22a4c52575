#!/usr/bin/env python3
"""Random programs of every construct: neither the compiler nor the formatter ever crashes.

The programs are derived from grammars/placet.lark itself, so that a construct that is added to the grammar is tried at once.
Words of the grammar stand as they are; a name is drawn from those that fit where it stands, so that many programs mean
something, and others are wrong in one place. Each is compiled and laid out, which fails where it would mean anything else. Of
every eighth (`--every`) what was laid out is laid out again and compiled too, and all that errors stand in is taken out, and
what is left goes through the same.

A case fails where something other than a diagnostic comes out: an exception, a layout that is not stable, or one that means
something else. It is printed with its number; `--first N --count 1` runs it again. At the end stands how many of the programs
that were accepted have each construct.

    python benchmarks/random_programs.py --count 100000
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import re
import sys
import tempfile
import time
import traceback
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lark import Lark

from placet.pipeline import compile_source
from placet.source import SourceFile
from placet.syntax import ast
from placet.syntax.formatter import format_source
from placet.syntax.parser import parse
from placet.syntax.printer import render

if TYPE_CHECKING:
    from collections.abc import Sequence

GRAMMAR = Path(__file__).resolve().parent.parent / "grammars" / "placet.lark"
DEEP = 34  # beyond this depth the shortest way out is taken
ITEMS = {
    "workflow": 6, "saga": 6, "choreography": 4, "check": 6, "net": 3, "machine": 3, "topic": 3, "service": 2, "variable": 2, "parameter": 1,
    "system": 0.3, "importing": 0.4, "annotate": 0.6,
}  # fmt: skip
SHORT = {
    "formula",
    "disjunction",
    "conjunction",
    "literal",
    "primary",
    "sum",
    "expression",
    "under",
    "at_level",
    "demand",
    "more",
    "plus",
}
OFTEN = {"SEMICOLON": 0.15, "statement": 5.0, "step": 6.0, "task": 3.0, "option": 2.0, "move": 3.0, "places": 2.0, "transition": 2.0, "abandon": 0.2,
         "end": 0.3, "throw": 0.3, "member": 2.0, "reaction": 3.0, "implication": 0.2, "multiple": 0.3, "EFFECT": 6.0, "KEY": 4.0, "UNDO_AFTER": 3.0}  # fmt: skip
FILES = {  # what programs import and annotate
    "other.placet": "service shipping { idempotent; null_safe }\nparam SEATS = 2\n",
    "order.asl.json": """{"StartAt": "Charge", "States": {
      "Charge": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "TimeoutSeconds": 10,
                 "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Refund"}], "Next": "Book"},
      "Book": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "TimeoutSeconds": 10,
               "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Cancel"}], "Next": "Done"},
      "Cancel": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Next": "Refund"},
      "Refund": {"Type": "Task", "Resource": "arn:aws:states:::lambda:invoke", "Next": "OrderFailed"},
      "OrderFailed": {"Type": "Fail", "Error": "OrderFailed"},
      "Done": {"Type": "Succeed"}}}""",
}
ROLES = {"Charge": "Refund", "Book": "Cancel"}  # what undoes what in it
STARTS = {
    "net": (("places", 1, 2), ("transition", 1, 3), ("final", 0, 1)),
    "machine": (("initial", 1, 1), ("move", 1, 4), ("finals", 0, 1)),
}
PLAIN = ("sound", "safe", "deadlock_free", "option_to_complete", "proper_completion", "no_dead_step", "coverage", "conserved", "anomaly_A1",
         "all_consumed", "no_orphan", "no_event_loop", "home", "reversible", "live", "livelock_free")  # fmt: skip

RUNS = (  # checks about runs; X is something that may be done
    "ctl of helper AG ( X -> EF X )", "ctl of helper E ( not X U X )", "ctl AF X", "ctl A ( not X W X )", "ltl of helper G F X assuming strong",
    "ltl X R not X", "ltl F X and G ( X or not X ) assuming nothing", "ctl EX EG not X",
)  # fmt: skip
# What a name may be, by the rule it stands in and the word before it; by the word alone; by the rule alone.
# `+kind` declares a new one, `kind?` is one that was declared before, `+` is a new name of nobody's.
FIXED: dict[tuple[str, str], tuple[str, ...]] = {
    ("saga", "uses"): ("dtm", "seata", "temporal-go", "temporal-java", "camunda7", "camunda8", "axon", "restate", "conductor"),
    ("variable", "="): ("any",),
    ("topic", "on"): ("kafka", "rabbitmq", "nats"),
    ("task", "on"): ("service?",),
    ("step", "on"): ("service?",),
    ("role", "on"): ("service?",),
    ("service", "via"): ("rest", "grpc", "queue"),
    ("step", "via"): ("rest", "grpc", "queue"),
    ("about_runs", "of"): ("process?", "machine?", "net?"),
    ("guarantee", "latency"): ("uniform", "exponential", "lognormal"),
    ("policy", "siblings"): ("await", "cancel", "abandon"),
    ("policy", "failing_step"): ("undo", "keep", "undo_unless_rejected"),
    ("policy", "undo_order"): ("reverse", "parallel", "dependencies", "start", "completion", "registration"),
    ("policy", "retry_budget"): ("shared", "forward"),
    ("every", "overlap"): ("skip",),
    ("some_of", "others"): ("cancel", "go_on"),
    ("signalled", "signal"): ("signal?",),
    ("about_runs", "assuming"): ("fair", "weak", "strong", "nothing"),
    ("option", "undo_after"): ("step?",),
    ("option", "key"): ("booking", "order"),
    ("policy", "register"): ("before", "after", "submit", "log"),
    ("policy", "cancellation"): ("masked", "unmasked"),
    ("policy", "children"): ("propagate", "await"),
    ("policy", "recovery"): ("resume", "undo", "forget"),
    ("policy", "deadline"): ("undo", "escalate", "forward"),
    ("policy", "on unknown"): ("undo", "retry", "ask", "ignore"),
    ("policy", "on undo_failure"): ("halt", "continue", "escalate"),
    ("policy", "then"): ("halt", "continue", "escalate"),
    ("option", "after"): ("step?",),
    ("option", ","): ("step?", "account"),
    ("option", "("): ("reply?", "account", "other_account"),
    ("option", "effect"): ("debit", "credit"),
    ("option", "register"): ("before", "after", "submit", "log"),
    ("option", "correlation"): ("attempt", "step", "name"),
    ("decided", ":"): ("reject", "unknown", "escalate", "halt"),
    ("retried", "then"): ("reject", "unknown", "escalate", "halt"),
}  # fmt: skip
BY_RULE: dict[str, tuple[str, ...]] = {
    "system": ("+system",), "service": ("+service",), "parameter": ("+param",), "variable": ("+var",), "kind": ("bool",),
    "named": ("param?",), "workflow": ("+process",), "saga": ("+process",), "choreography": ("+choreography",),
    "member": ("+member",), "reaction": ("event?",), "task": ("+task",), "step": ("+step",), "option": ("+",),
    "decided": ("E", "F", "other", "timeout", "CircuitOpen", "Unavailable"), "retried": ("E", "F", "other", "timeout"), "receive": ("event?", "signal?", "+", "+"),
    "publish": ("event?",), "throw": ("E", "F"), "call": ("process?",), "for_each": ("+each", "i", "k"), "each_of": ("i", "k"), "assignment": ("count", "count", "var?"),
    "flipped": ("open",), "single": ("count", "var?"), "multiple": ("count", "var?"), "end": ("done", "gone", "other_end"), "net": ("+net",),
    "handler": ("E", "F", "any", "compensated", "failed", "done", "gone"), "place": ("+place",), "transition": ("+move",),
    "arc": ("place?",), "special_arc": ("place?",), "reset_arc": ("place?",), "machine": ("+machine",),
    "initial": ("s0",), "move": ("s0", "s0", "s1", "s1", "s2"), "unasked_move": ("s0", "s0", "s1", "s1", "s2"), "trigger": ("Paid", "Sent"),
    "finals": ("s2",), "other": ("s2", "s3"), "final": ("place?",), "at_level": ("L0", "L1", "L2", "L3", "L4", "L5"),
    "atom": ("done?", "done?", "done?", "open", "place?", "state?"), "term": ("count", "var?", "effect?", "place?"),
    "role": ("Charge", "Book"), "_state": ("Refund", "Cancel", "OrderFailed"), "sided_end": ("compensated", "failed", "completed"), "waiver": ("P552", "P550"),
    "check_item": ("sound", "never", "possible", "safe", "deadlock_free", "option_to_complete", "coverage", "bounded", "live",
                   "conserved", "all_consumed", "no_orphan", "anomaly_A1", "no_dead_step", "proper_completion", "home"),
    "_also": ("E", "F"), "pool": ("+pool",), "within": ("pool?",), "acquire": ("pool?",), "release": ("pool?",),
}  # fmt: skip
NAMES = {  # the names of a list, by the rule that it is part of
    "topic": ("+topic",), "signal": ("+signal",), "final": ("place?",), "enumeration": ("+value",), "sends": ("Invoice", "Thanks"), "task": ("E", "F", "OutOfRange"),
    "under": ("reject", "lost", "slow", "duplicate", "crash", "partial", "undo-fail"),
}  # fmt: skip
ARRAYS = (
    "service",
    "step",
    "task",
    "place",
    "move",
    "process",
    "pool",
    "topic",
    "var",
    "net",
    "machine",
    "choreography",
    "member",
    "signal",
)
DATA = ("guard", "while_data")  # a formula in these is about variables
PRELUDE = (
    "service bare",
    "service safe { idempotent; null_safe; rejects_after_cancel }",
    "topic news on kafka { capacity 2 }",
    "param N = 2",
    "var count : 0..2",
    "var open : bool = any",
    "pool db 2",
    "workflow helper { task help end done }",
    "saga trip { step car on safe { undo cancel_car; timeout 5s } }",
)
PROCESSES = (
    "workflow",
    "saga",
    "net",
    "machine",
    "choreography",
    "annotate",
    "trip",
)  # without any of them there is nothing to compile
KNOWN = {
    "service": ["bare", "safe"], "topic": ["news"], "param": ["N"], "var": ["count", "open"], "process": ["helper", "trip"], "step": ["car"],
    "task": ["help"], "place": [], "each": [], "state": [], "pool": ["db"], "signal": ["stop", "stop"],
}  # fmt: skip


class Grammar:
    """The rules of the grammar, ready to be derived from."""

    def __init__(self) -> None:
        lark = Lark(GRAMMAR.read_text(encoding="utf-8"), parser="lalr", start="start")
        self.words = {t.name: t.pattern.value for t in lark.terminals if type(t.pattern).__name__ == "PatternStr"}
        self.rules: dict[str, list[tuple[str, list[tuple[str, bool]]]]] = {}
        for rule in lark.rules:
            sides = [(symbol.name, symbol.is_term) for symbol in rule.expansion]
            self.rules.setdefault(rule.origin.name, []).append((rule.alias or rule.origin.name, sides))
        self.least = dict.fromkeys(self.rules, 10**6)
        for _ in self.rules:
            for name, sides in self.rules.items():
                self.least[name] = min(self.depth(side) for _, side in sides)

    def depth(self, side: list[tuple[str, bool]]) -> int:
        """The least depth of a derivation."""
        return 1 + max([0, *(0 if terminal else self.least[name] for name, terminal in side)])


class Program:
    """One random program: its words, and the constructs in it."""

    def __init__(self, grammar: Grammar, rng: random.Random) -> None:
        self.grammar, self.rng = grammar, rng
        self.tokens: list[str] = []
        self.known = {kind: list(names) for kind, names in KNOWN.items()}
        self.number = 0
        items = [side[0][0] for _, side in grammar.rules["item"]]
        weights = [ITEMS.get(item, 2) for item in items]
        self.items: list[str] = []
        for item in rng.choices(items, weights, k=rng.randint(1, 2)):
            self.tokens = []
            if item in STARTS and rng.random() < 0.8:
                self.start(item)
            elif item == "annotate" and rng.random() < 0.8:
                self.annotates()
            else:
                self.derive(item, 0, ("start",))
            self.items.append(re.sub(r"(?<=[{};]) ", "\n", " ".join(self.tokens)))

        self.items = [*self.prelude(), *self.items]

    def prelude(self) -> list[str]:
        """What the program uses of the prelude, most of the time."""
        words = set(re.split(r"[^\w]+", " ".join(self.items)))
        if not words.isdisjoint(("trip", "car")):
            words |= {"trip", "safe"}
        names = ("bare", "safe", "news", "N", "count", "open", "db", "helper", "trip")
        wanted = words | ({"helper"} if "help" in words or words.isdisjoint(PROCESSES) else set())
        told = self.rng.choice(
            ("timeout 5s", "timeout 5s", "retry 1; errors { Busy: retry 2 then unknown; other: reject }")
        )
        lines = [line.replace("timeout 5s", told) for line in PRELUDE]
        return [line for name, line in zip(names, lines, strict=True) if name in wanted and self.rng.random() < 0.99]

    def start(self, item: str) -> None:
        """A net with places and a machine with a beginning, so that more of them mean something."""
        self.tokens += [item, self.name((item,)), "{"]
        for rule, least, most in STARTS[item]:
            for _ in range(self.rng.randint(least, most)):
                self.derive(rule, 0, (item,))
        self.tokens.append("}")

    def runs(self) -> None:
        """A check about runs that means something."""
        check = self.rng.choice(RUNS)
        done = "help.done" if "of helper" in check else self.rng.choice(("help.done", "car.done"))
        self.tokens += check.replace("X", done).split()

    def annotates(self) -> None:
        """A sidecar whose lines are about states of the definition, each once at most."""
        rng = self.rng
        self.tokens += ["annotate", '"order.asl.json"', "{"]
        for state, undo in ROLES.items():
            if rng.random() < 0.7:
                self.tokens += [state] if rng.random() < 0.5 else ["state", f'"{state}"', "as", self.name(("step",))]
                self.tokens += ["on", rng.choice(("bare", "safe"))] if rng.random() < 0.6 else []
                self.tokens += ["undone", "by", undo] + (["(", "reply", ")"] if rng.random() < 0.3 else [])
                self.tokens += (
                    ["{", rng.choice(("idempotent", "null_safe", "escalates", "rejects_after_cancel")), "}"]
                    if rng.random() < 0.3
                    else []
                )
        if rng.random() < 0.5:
            self.tokens += [
                "end",
                *rng.choice((("OrderFailed", "compensated"), ("OrderFailed", "failed"), ("Done", "completed"))),
            ]
        if rng.random() < 0.4:
            self.tokens += [
                "waive",
                rng.choice(("P552", "P550", "P558")),
                "at",
                rng.choice(tuple(ROLES)),
                '"it is known"',
            ]
            self.tokens += ["until", "2027-01-31"] if rng.random() < 0.5 else []
        if rng.random() < 0.3:
            self.derive("sided_service", 0, ("annotate",))
        if rng.random() < 0.4:
            self.tokens += [
                "check",
                "coverage",
                "(",
                ")",
                "at",
                rng.choice(("L0", "L1", "L2")),
                rng.choice((">=", "==")),
                "90",
                "%",
            ]
        self.tokens.append("}")

    def derive(self, name: str, depth: int, within: tuple[str, ...]) -> None:
        """Append what a rule derives; `within` are the rules around it, those that the grammar made left out."""
        if name == "about_runs" and self.rng.random() < 0.7:
            self.runs()
            return
        if name == "check_item" and self.rng.random() < 0.8:
            self.asks(depth, within)
            return
        choices = self.grammar.rules[name]
        if (
            depth > DEEP
            or (depth > DEEP // 2 and self.rng.random() < 0.7)
            or (name in SHORT and self.rng.random() < 0.7)
        ):
            least = min(self.grammar.depth(side) for _, side in choices)
            choices = [c for c in choices if self.grammar.depth(c[1]) == least]
        if name == "statement" and "saga" not in within:
            choices = [c for c in choices if c[1][0][0] not in ("step", "abandon")] or choices
        likely = [
            max([OFTEN.get(symbol, 1.0) for symbol, _ in side if not symbol.startswith("__")] or [1.0])
            for _, side in choices
        ]
        shown, side = self.rng.choices(choices, likely)[0]
        if not name.startswith("__"):
            within = (shown, *within)
        for symbol, terminal in side:
            if terminal:
                self.tokens.append(self.word(symbol, within))
            else:
                self.derive(symbol, depth + (not name.startswith("__")), within)

    @property
    def text(self) -> str:
        """The whole program."""
        return "\n".join(self.items) + "\n"

    def asks(self, depth: int, within: tuple[str, ...]) -> None:
        """A check that may well mean something."""
        if self.rng.random() < 0.5:
            self.tokens += [self.rng.choice(("never", "possible")), "("]
            if self.rng.random() < 0.5:
                self.tokens += [self.rng.choice(self.known["process"]), ","]
            self.derive("formula", depth + 1, ("check_item", *within))
        elif self.rng.random() < 0.15:
            self.tokens += ["coverage", "(", "trip", ")", "at", self.rng.choice(("L0", "L1")), ">=", "90", "%"]
            return
        elif self.rng.random() < 0.2:
            self.runs()
            return
        else:
            asked = [n for k in ("process", "net", "machine", "choreography") for n in self.known.get(k, ())]
            self.tokens += [self.rng.choice(PLAIN), "(", self.rng.choice(asked)]
        self.tokens.append(")")
        if self.rng.random() < 0.2:
            self.tokens += ["for", "each", self.rng.choice("ik"), "in", "1", "..", self.rng.choice("2N")]

    def word(self, terminal: str, within: tuple[str, ...]) -> str:
        """The text of a terminal."""
        rng = self.rng
        if terminal == "NAME":
            return self.name(within)
        if terminal == "NUMBER":
            return str(
                rng.choice((1, 1, 1, 1, 2, 2, 2, 3, 5) if rng.random() < 0.95 else (0,))
                if rng.random() < 0.98
                else rng.choice((10**9, 10**9 + 1, 64))
            )
        if terminal == "DURATION":
            return rng.choice(("10s", "500ms", "1h", "0.5h", "2w"))
        if terminal == "TEXT":
            files = {"importing": '"other.placet"', "annotate": '"order.asl.json"'}
            if within[0] in files and rng.random() < 0.9:
                return files[within[0]]
            return rng.choice(('"it holds"', '""', '"a \\"b\\""', '"other.placet"'))
        if terminal == "COMPARISON":
            return rng.choice(("<", "<=", "==", "!=", ">=", ">"))
        if terminal == "DATE":
            return "2027-01-31"
        found = self.grammar.words.get(terminal)
        return (
            found
            if found is not None
            else {"ON_UNKNOWN": "on unknown", "ON_UNDO_FAILURE": "on undo_failure", "_SLASH": "/"}[terminal]
        )

    def name(self, within: tuple[str, ...]) -> str:
        """A name that fits, most of the time."""
        rng, before = self.rng, self.tokens[-1] if self.tokens else ""
        if rng.random() < 0.01:
            return rng.choice(("end", "any", "a.b", "größe", "x-1", "task", "other", "timeout"))
        pool: tuple[str, ...] = ()
        if within[0] == "names":
            pool = NAMES.get(within[1], ("E", "F", "a", "b"))
        elif within[0] in ("atom", "term") and not set(DATA).isdisjoint(within):
            pool = ("open", "var?") if within[0] == "atom" else ("count", "count", "var?")
        for rule in () if pool else within[:3]:
            pool = FIXED.get((rule, before)) or BY_RULE.get(rule, ())
            if pool:
                break
        drawn = rng.choice(pool or ("+", "done?", "service?", "process?", "E"))
        if drawn.startswith("+"):
            self.number += 1
            fresh = f"{drawn[1:2] or 'n'}{self.number}"
            if drawn[1:] in ARRAYS and rng.random() < 0.08:
                self.known.setdefault(drawn[1:], []).extend(
                    fresh + i for i in ("[1]", "[2]", "[1]", "[i]", "[k]", "[1..2]", "")
                )
                return fresh + rng.choice(
                    ("[2]", "[N]", "[i in 1..2]", "[k in 1..N]", "[0..2]", "[i in 1..2][k in 1..2]")
                )
            self.known.setdefault(drawn[1:], []).append(fresh)
            return fresh
        if not drawn.endswith("?"):
            return drawn
        kind = drawn[:-1]
        one = lambda *kinds: rng.choice([n for k in kinds for n in self.known.get(k, ())] or ["nobody"])  # noqa: E731
        match kind:
            case "event":
                return f"{one('topic')}.{rng.choice(('Made', 'Sent'))}"
            case "reply":
                return f"{one('step')}.reply"
            case "done":
                return f"{one('step', 'task')}.done"
            case "effect":
                return f"{one('step')}.effect"
            case "state":
                return f"{one('machine', 'process')}.{rng.choice(('s0', 's1', 'done', 'completed'))}"
        return one(kind)


PLACE = "random.placet"  # where a program stands


def meaning(text: str) -> tuple[object, ...]:
    """What a text compiles to: its nets, or the codes of its errors."""
    loaded = compile_source(SourceFile(PLACE, text))
    codes = sorted(d.code for d in loaded.diagnostics)
    return (codes, [(c.subject, c.net, c.initial, c.final) for c in loaded.compiled])


def without(node: Any, at: int, *, deep: bool) -> Any:
    """The tree without the smallest declaration, statement or option that a place in the text lies in; None where there is none."""
    if isinstance(node, ast.Atom | ast.Compare | ast.Negation | ast.Junction | ast.Modal):
        return None  # a part of a formula is none without the rest
    for field, value in zip(getattr(node, "_fields", ()), node, strict=False):
        if hasattr(value, "_fields"):
            less = without(value, at, deep=True) if field != "span" else None
            if less is not None:
                return node._replace(**{field: less})
        elif isinstance(value, tuple):
            for n, part in enumerate(value):
                span = getattr(part, "span", None)
                if span is not None and span.start <= at <= span.end:
                    less = without(part, at, deep=True)
                    rest = (*value[:n], *((less,) if less is not None else ()), *value[n + 1 :])
                    return node._replace(**{field: rest})
    return None if deep else node


def mended(text: str) -> str:
    """What is left of a text when what errors stand in is taken out, piece by piece."""
    for _ in range(20):
        errors = [d for d in compile_source(SourceFile(PLACE, text)).diagnostics if d.severity == "error"]
        if not errors or any(d.span is None for d in errors):
            return text
        file, problems = parse(SourceFile(PLACE, text))
        at = max(d.span.start for d in errors)
        text = (
            text[:at] + text[at + 1 :]
            if any(d.severity == "error" for d in problems)
            else render(without(file, at, deep=False))
        )
    return text


def accepted(text: str, *, twice: bool = True) -> tuple[bool, bool]:
    """Compile and lay out a text: whether it can be read, and whether it means something. Raises whatever is thrown inside."""
    source = SourceFile(PLACE, text)
    first = meaning(text)
    laid_out, problems = format_source(source)
    if laid_out is None:
        assert any(d.severity == "error" for d in problems), "not laid out, and nobody says why"
        return False, False
    if twice:
        again = format_source(SourceFile("random.placet", laid_out))[0]
        assert again == laid_out, f"laid out twice it is something else:\n{laid_out}"
        assert meaning(laid_out) == first, f"laid out it means something else:\n{laid_out}"
    return True, bool(first[1])


def constructs(text: str) -> set[str]:
    """The kinds of nodes in the tree of a text, and its options by their word."""
    found: set[str] = set()
    todo: list[object] = [parse(SourceFile(PLACE, text))[0]]
    while todo:
        node = todo.pop()
        if isinstance(node, tuple):
            if hasattr(node, "_fields"):
                found.add(type(node).__name__)
            if isinstance(node, ast.Option):
                found.add(node.key.text)
            todo += node
    return found - {"Span", "SourceFile", "File"}


class Tally(NamedTuple):
    """What became of some programs."""

    read: int
    good: int
    failed: int
    taken: Counter[str]
    slowest: tuple[float, int]
    seconds: float


def tried(numbers: Sequence[int], *, every: int, show: bool) -> Tally:
    """Run some cases, in a directory of their own with the files that they name."""
    global PLACE  # noqa: PLW0603 - one for each process
    grammar, taken, failed, slowest = Grammar(), Counter[str](), 0, (0.0, -1)
    read, good, started = 0, 0, time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        for name, content in FILES.items():
            (Path(folder) / name).write_text(content, encoding="utf-8")
        PLACE = str(Path(folder) / "random.placet")
        for number in numbers:
            text = Program(grammar, random.Random(number)).text
            before = time.process_time()
            whole = number % every == 0
            try:
                readable, ok = accepted(text, twice=whole)
                if readable and not ok and whole:
                    text = mended(text)
                    ok = accepted(text)[1]
            except Exception:  # noqa: BLE001 - the point of it
                failed += 1
                readable = ok = False
                print(f"-- case {number}\n{text}\n{traceback.format_exc()}", flush=True)
            if show:
                print(text)
            slowest = max(slowest, (time.process_time() - before, number))
            read += readable
            good += ok
            if ok:
                taken.update(constructs(text))
    return Tally(read, good, failed, taken, slowest, time.process_time() - started)


def main() -> int:
    """Run the cases."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="so many processes at once")
    parser.add_argument(
        "--every",
        type=int,
        default=8,
        help="compile what was laid out, and take out what is wrong, of every N-th program",
    )
    parser.add_argument("--show", action="store_true", help="print each program")
    options = parser.parse_args()
    started = time.monotonic()
    chunk = 500
    parts = [
        range(first, min(first + chunk, options.first + options.count))
        for first in range(options.first, options.first + options.count, chunk)
    ]
    run = partial(tried, every=options.every, show=options.show)
    tallies = []
    with multiprocessing.Pool(options.jobs, maxtasksperchild=8) as pool:
        for tally in (map if options.jobs == 1 else pool.imap_unordered)(run, parts):
            tallies.append(tally)
            if len(tallies) % 4 == 0:
                done, failed = chunk * len(tallies), sum(t.failed for t in tallies)
                print(f"{done} done, {failed} failed", file=sys.stderr, flush=True)
    read, good, failed = (sum(getattr(t, name) for t in tallies) for name in ("read", "good", "failed"))
    taken = sum((t.taken for t in tallies), Counter[str]())
    slowest = max((t.slowest for t in tallies), default=(0.0, -1))
    seconds, wall = sum(t.seconds for t in tallies), time.monotonic() - started
    print(
        f"{options.count} programs from number {options.first}, {read} can be read, {good} accepted, {failed} failed; {seconds:.0f} s of processor time, "
        f"{options.count / max(wall, 0.001):.0f} a second, slowest {slowest[0]:.2f} s (case {slowest[1]})"
    )
    print("in those accepted: " + ", ".join(f"{name} {taken[name]}" for name in sorted(taken)))
    kinds = [
        n
        for n, kind in vars(ast).items()
        if isinstance(kind, type) and hasattr(kind, "_fields") and kind.__module__ == ast.__name__
    ]
    print("never accepted: " + (", ".join(sorted({*kinds} - taken.keys() - {"File"})) or "none"))
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
