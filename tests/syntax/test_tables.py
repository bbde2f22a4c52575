"""The generated tables are those of the grammar, and the driver does with them what lark itself does."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from syntax_trees import EVERYWHERE, RESERVED, SIDED, files

from conftest import CHECKOUT
from placet.source import SourceFile
from placet.syntax import generate, tables
from placet.syntax.build import Builder
from placet.syntax.parser import parse
from placet.syntax.printer import render

MODELS = sorted((CHECKOUT / "models").rglob("*.placet"))
# Diagnostics about what the grammar does not speak of.
OF_RUNS = {"of", "ctl", "ltl", "A", "E", "X", "F", "G", "AX", "AF", "AG", "EX", "EF", "EG"}
BEYOND = {"P108", "P109", "P110", "P112", "P113"}


@pytest.fixture(scope="module")
def oracle():
    return generate.load(generate.grammar_text()).lark


def accepts(lark, text):
    from lark.exceptions import UnexpectedInput

    try:
        lark.parse(text)
    except UnexpectedInput:
        return False
    return True


def fits(text):
    return not {d.code for d in parse(SourceFile("", text))[1]} - BEYOND


def test_the_module_is_in_step_with_the_grammar():
    text = generate.grammar_text()
    assert generate.digest(text) == tables.GRAMMAR, "run `python -m placet.syntax.generate`"
    assert generate.render(text) == generate.TABLES.read_text(encoding="utf-8")


def test_the_only_conflict_is_the_brace_after_a_step(caplog):
    from lark import logger

    logger.addHandler(caplog.handler)
    level = logger.level
    try:
        with caplog.at_level(logging.DEBUG, logger=logger.name):
            generate.load(generate.grammar_text())
    finally:
        logger.removeHandler(caplog.handler)
        logger.setLevel(level)
    conflicts = [r.getMessage() for r in caplog.records if r.getMessage().startswith((" *", "Shift"))]
    assert sorted(set(conflicts)) == [
        " * <step : STEP NAME ON NAME VIA NAME>",
        " * <step : STEP NAME ON NAME>",
        " * <step : STEP NAME VIA NAME>",
        " * <step : STEP NAME>",
        "Shift/Reduce conflict for terminal LBRACE: (resolving as shift)",
    ]


def test_reserved_words():
    """Everywhere else a keyword is a name where only a name can stand: docs/language.md lists these."""
    assert {
        "after", "for", "not", "at_most", "retry", "read", "reset", "without", "timeout", "final", "initial", "place", "transition", "then", "backoff", "via", "signal",
    } == RESERVED - OF_RUNS  # fmt: skip
    assert OF_RUNS < RESERVED, "in formulas of `ctl` and `ltl`, and before them"
    assert EVERYWHERE - RESERVED == SIDED, "in the braces of a sidecar names begin lines"


def test_every_rule_has_a_method_and_every_method_a_rule():
    callbacks = {callback for _, _, callback, _, _ in tables.RULES if callback and not callback.startswith("[")}
    assert callbacks <= set(vars(Builder))
    tokens = {"text", "number", "duration", "two_words"}
    assert {name for name in vars(Builder) if not name.startswith("_")} - tokens == callbacks


@pytest.mark.parametrize("path", MODELS, ids=lambda p: str(p.relative_to(CHECKOUT)))
def test_lark_accepts_the_shipped_models(oracle, path):
    assert accepts(oracle, path.read_text(encoding="utf-8"))


@settings(max_examples=150)
@given(files)
def test_lark_accepts_what_is_printed(oracle, file):
    assert accepts(oracle, render(file))


SNIPPETS = [
    *sorted(tables.WORDS), *sorted(tables.SIGNS), *sorted(tables.SIGNS), "a", "b", "charge.done", "x-y", "3", "10s", '"s"', ">=",
    "==", "on unknown", "on undo_failure", "2x", "1.5", "@", '"open', "tasks", "task.a", "\n", "# x\n",
    "workflow w {", "saga s {", "net n {", "check c(", 'choice { when "g" {', "step a on b {", "transition t:", "either { } or {",
    "first of {", "try { } on a {", "task a", "retry 3", "step a", "pivot", "place p = 1", "{ }", "errors {",
]  # fmt: skip


@settings(max_examples=1500)
@given(st.lists(st.sampled_from(SNIPPETS), max_size=12))
def test_lark_and_the_driver_agree_on_token_soups(oracle, soup):
    text = " ".join(soup)
    assert accepts(oracle, text) == fits(text), text


@settings(max_examples=300)
@given(files, st.data())
def test_lark_and_the_driver_agree_on_damaged_models(oracle, file, data):
    tokens = render(file).split(" ")
    at = data.draw(st.integers(0, len(tokens) - 1))
    match data.draw(st.sampled_from(["drop", "insert", "replace", "swap"])):
        case "drop":
            del tokens[at]
        case "insert":
            tokens.insert(at, data.draw(st.sampled_from(SNIPPETS)))
        case "replace":
            tokens[at] = data.draw(st.sampled_from(SNIPPETS))
        case "swap":
            other = data.draw(st.integers(0, len(tokens) - 1))
            tokens[at], tokens[other] = tokens[other], tokens[at]
    text = " ".join(tokens)
    assert accepts(oracle, text) == fits(text), text
