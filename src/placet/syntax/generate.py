"""Compiles grammars/placet.lark into tables.py: `python -m placet.syntax.generate`. A development tool, never imported.

lark does the LALR(1) construction (DeRemer and Pennello, "Efficient computation of LALR(1) look-ahead sets", TOPLAS
4(4), 1982). Its result is renumbered breadth-first from the start state, so that the module depends on the grammar only;
unit reductions that no callback sees are taken out of the goto table; equal rows are shared.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from placet.data_files import data_folder
from placet.values import NamedTuple

if TYPE_CHECKING:
    from lark import Lark
    from lark.grammar import Rule
    from lark.lexer import TerminalDef

TABLES = Path(__file__).parent / "tables.py"
WORD = re.compile(r"\w+")

# What takes the place of a callback's name: hand the only child on; begin a list; append to it; leave it as it is.
PASS, BEGIN, APPEND, LEAVE = "", "[]", "[+]", "[=]"


class Grammar(NamedTuple):
    """The text of the grammar and lark's parser for it, with the terminals that the driver of placet matches too."""

    text: str
    lark: Lark


def grammar_text() -> str:
    """The grammar as it stands."""
    return (data_folder("grammars") / "placet.lark").read_text(encoding="utf-8")


def digest(text: str) -> str:
    """What identifies the grammar (and the version of this program) in the generated module."""
    return hashlib.sha256(("1\n" + text).encode()).hexdigest()[:16]


def _whole_words(terminal: TerminalDef) -> None:
    """Keywords match whole words only: lark would take the `task` of `tasks` where no name may stand."""
    from lark.lexer import PatternRE, PatternStr

    if isinstance(terminal.pattern, PatternStr) and WORD.fullmatch(terminal.pattern.value):
        terminal.pattern = PatternRE(terminal.pattern.value + r"(?![\w])(?![.-]\w)")
        terminal.priority = 1


def load(text: str) -> Grammar:
    """Lark's own parser of the grammar: the source of the tables, and the oracle in the tests of the driver."""
    from lark import Lark

    lark = Lark(text, parser="lalr", lexer="contextual", maybe_placeholders=True, edit_terminals=_whole_words)
    return Grammar(text, lark)


def _words(text: str) -> dict[str, str]:
    """Name of every terminal that is a plain string -> that string."""
    from lark import Lark
    from lark.lexer import PatternStr

    plain = Lark(text, parser="lalr", lexer="contextual", maybe_placeholders=True)
    return {t.name: t.pattern.value for t in plain.terminals if isinstance(t.pattern, PatternStr)}


class Reduction(NamedTuple):
    """What a rule does to the stack: `recipe` says which children go to the callback (-1: None, ~i - 1: all of list i)."""

    origin: str
    symbols: tuple[str, ...]
    callback: str
    recipe: tuple[int, ...]


def reduction(rule: Rule) -> Reduction:
    """The rule of lark, in our words; what is kept and what is filtered follows lark's own tree building."""
    origin, symbols = str(rule.origin.name), tuple(str(s.name) for s in rule.expansion)
    kept = [i for i, s in enumerate(rule.expansion) if not (s.is_term and getattr(s, "filter_out", False))]
    if origin.startswith("_"):
        longer = symbols[:1] == (origin,)
        callback = (APPEND if len(kept) > 1 else LEAVE) if longer else BEGIN
        return Reduction(origin, symbols, callback, tuple(kept[1:] if longer else kept))
    marks = rule.options.empty_indices or (False,) * len(symbols)
    recipe: list[int] = []
    at = 0
    for empty in marks:
        if empty:
            recipe.append(-1)
        else:
            if at in kept:
                recipe.append(~at - 1 if symbols[at].startswith("_") else at)
            at += 1
    single = rule.options.expand1 and not rule.alias and len(recipe) == 1 and recipe[0] >= 0
    return Reduction(origin, symbols, PASS if single else str(rule.alias or origin), tuple(recipe))


class Automaton(NamedTuple):
    """The LALR automaton over names, states numbered from 0, the start state first."""

    shifts: list[dict[str, int]]
    reduces: list[dict[str, int]]
    gotos: list[dict[str, int]]
    reductions: list[Reduction]


def automaton(lark: Lark) -> Automaton:
    """Lark's table, renumbered breadth-first by symbol name, without unit reductions and the states only they need."""
    from lark.parsers.lalr_analysis import Shift

    table: Any = lark.parser.parser._parse_table  # noqa: SLF001
    terminals = {t.name for t in lark.terminals} | {"$END"}
    reductions: dict[Any, Reduction] = {}
    for state in table.states.values():
        for action, argument in state.values():
            if action is not Shift:
                reductions.setdefault(argument, reduction(argument))

    def only_reduction(state: int) -> Reduction | None:
        actions = {(a is Shift, None if a is Shift else g) for a, g in table.states[state].values()}
        found = next(iter(actions)) if len(actions) == 1 else (True, None)
        return None if found[0] else reductions[found[1]]

    def target(state: int, symbol: str) -> int:
        after: int = table.states[state][symbol][1]
        rule = only_reduction(after) if symbol not in terminals else None
        if rule is not None and rule.callback == PASS and len(rule.symbols) == 1:
            return target(state, rule.origin)
        return after

    order = [table.start_states["start"]]
    number = {order[0]: 0}
    used: dict[Reduction, int] = {}
    machine = Automaton([], [], [], [])
    for state in order:  # grows while it is walked
        shifts: dict[str, int] = {}
        reduces: dict[str, int] = {}
        gotos: dict[str, int] = {}
        for symbol, (action, argument) in sorted(table.states[state].items()):
            if action is not Shift:
                reduces[symbol] = used.setdefault(reductions[argument], len(used))
                continue
            after = target(state, symbol)
            if after not in number:
                number[after] = len(order)
                order.append(after)
            (shifts if symbol in terminals else gotos)[symbol] = number[after]
        machine.shifts.append(shifts)
        machine.reduces.append(reduces)
        machine.gotos.append(gotos)
    accepted = machine.gotos[0]["start"]
    machine.shifts[accepted]["$END"] = accepted
    machine.reductions.extend(used)
    return machine


def _terminal_order(lark: Lark) -> list[str]:
    """Terminals by id: the end of the file, the four brackets (the driver counts nesting by them), then by name."""
    first = ["$END", "LBRACE", "LPAR", "RBRACE", "RPAR"]
    ignored = set(lark.ignore_tokens)
    return first + sorted({t.name for t in lark.terminals} - set(first) - ignored)


def token_pattern(lark: Lark, words: dict[str, str]) -> tuple[str, list[str]]:
    """One regular expression for all tokens, and the terminal of each of its groups; what is not a token is the caller's."""
    patterns = {t.name: t.pattern.value for t in lark.terminals}
    blank = "|".join(f"{patterns[name].rstrip('+')}+" for name in lark.ignore_tokens)
    regexes = sorted((t for t in lark.terminals if t.name not in words and t.name not in lark.ignore_tokens),
                     key=lambda t: (-t.priority, t.name))  # fmt: skip
    groups = [t.name for t in regexes]
    signs = sorted((text for text in words.values() if not WORD.fullmatch(text)), key=lambda t: (-len(t), t))
    choices = [f"({patterns[name]})" for name in groups] + [f"({'|'.join(map(re.escape, signs))})"]
    return f"(?:{blank})*+(?:{'|'.join(choices)}", groups


def render(text: str) -> str:
    """The source of tables.py for a grammar."""
    lark = load(text).lark
    words = _words(text)
    machine = automaton(lark)
    terminals = _terminal_order(lark)
    ids = {name: i for i, name in enumerate(terminals)}
    nonterminals = sorted({r.origin for r in machine.reductions})
    numbers = {name: i for i, name in enumerate(nonterminals)}
    pattern, groups = token_pattern(lark, words)
    rows = []
    for shifts, reduces in zip(machine.shifts, machine.reduces, strict=True):
        row = {ids[t]: s for t, s in shifts.items()} | {ids[t]: ~r for t, r in reduces.items()}
        rows.append(dict(sorted(row.items())))
    gotos = [{numbers[n]: s for n, s in sorted(g.items()) if n in numbers} for g in machine.gotos]
    starts = {name: tuple(sorted(ids[t] for t in first)) for name, first in _starts(lark).items()}
    rules = [
        (numbers[r.origin], len(r.symbols), r.callback, r.recipe,
         tuple(ids[s] if s in ids else ~numbers.get(s, 0) for s in r.symbols))
        for r in machine.reductions
    ]  # fmt: skip
    lines = [
        '"""The LALR(1) tables of grammars/placet.lark. Generated by `python -m placet.syntax.generate`; do not edit."""',
        "",
        "# ruff: noqa: Q000",
        "# fmt: off",
        "from __future__ import annotations",
        "",
        f"GRAMMAR = {digest(text)!r}",
        f"PATTERN = {pattern!r}",
        f"GROUPS = {_compact(tuple(groups))}",
        f"TERMINALS = {_compact(tuple(terminals))}",
        f"WORDS = {_compact({t: ids[n] for n, t in sorted(words.items()) if WORD.fullmatch(t)})}",
        f"SIGNS = {_compact({t: ids[n] for n, t in sorted(words.items()) if not WORD.fullmatch(t)})}",
        f"KEPT = {_compact(tuple(ids[n] for n in sorted(_kept(machine)) if n in ids))}",
        f"NONTERMINALS = {_compact(tuple(nonterminals))}",
        "# what may begin one of these",
        f"STARTS = {_compact(starts)}",
        "# origin, number of symbols, callback, recipe, symbols (terminals t, nonterminals ~n)",
        "RULES: tuple[tuple[int, int, str, tuple[int, ...], tuple[int, ...]], ...] = (",
        *(f" {_compact(rule)}," for rule in rules),
        ")",
        "# per state: terminal -> state to shift to, or ~rule to reduce by",
        *_shared("ROWS", rows),
        "# per state: nonterminal -> state to go to",
        *_shared("GOTOS", gotos),
        "",
    ]
    return "\n".join(lines)


def _compact(value: object) -> str:
    """A literal without blanks; none of our strings holds `, ` or `: `."""
    return repr(value).replace(", ", ",").replace(": ", ":")


def _starts(lark: Lark) -> dict[str, set[str]]:
    """For each nonterminal that makes up a list in braces: the terminals it may begin with."""
    first: dict[str, set[str]] = {}
    size = -1
    while size != (size := sum(map(len, first.values()))):
        for rule in lark.rules:
            if rule.expansion:
                symbol = rule.expansion[0]
                first.setdefault(rule.origin.name, set()).update(
                    {symbol.name} if symbol.is_term else first.get(symbol.name, ())
                )
    parts = (
        *("item", "statement", "policy", "option", "guarantee", "place", "transition", "final", "formula"),
        *("topic_option", "member", "reaction"),
    )
    return {name: first[name] for name in parts}


def _kept(machine: Automaton) -> set[str]:
    """Terminals whose token some callback gets."""
    kept: set[str] = set()
    for rule in machine.reductions:
        kept.update(rule.symbols[i] for i in rule.recipe if i >= 0)
    return kept


def _shared(name: str, rows: list[dict[int, int]]) -> list[str]:
    """A tuple of dictionaries, equal ones written once."""
    seen: dict[str, int] = {}
    index = [seen.setdefault(_compact(row), len(seen)) for row in rows]
    return [
        f"_{name}: tuple[dict[int, int], ...] = (",
        *(f" {text}," for text in seen),
        ")",
        f"{name} = tuple([_{name}[i] for i in {_compact(index)}])",
    ]


def main() -> None:
    """Writes the module, and the colours of editors, which are made from it in a process that loads it anew."""
    TABLES.write_text(render(grammar_text()), encoding="utf-8")
    sys.stdout.write(f"{TABLES.name}: {TABLES.stat().st_size} bytes\n")
    subprocess.run([sys.executable, "-m", "placet.syntax.textmate"], check=True)


if __name__ == "__main__":
    main()
