"""An interactive walk: where things stand, what can happen next, and you choose."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from placet.cli import exit_codes

if TYPE_CHECKING:
    from placet.compiled import Compiled
    from placet.evidence import State

_KEYS = "a number chooses; b back, r restart, q quit"


def walk_through(compiled: Compiled) -> int:
    """Let the user choose step by step, until `q` or the end of the input. Every step can be taken back."""
    from placet.net.firing import enabled, fire_state

    net, count = compiled.net, len(compiled.net.places)
    path: list[State] = [compiled.start]
    while True:
        state = path[-1]
        choices = enabled(net, state[:count])
        _show(compiled, state, choices, len(path) - 1)
        click.echo("> ", nl=False)
        line = sys.stdin.readline()
        if not sys.stdin.isatty():
            click.echo(line.rstrip("\n"))
        answer = line.strip().lower()
        if not line or answer in ("q", "quit"):
            return exit_codes.PROVED
        if answer in ("b", "back"):
            del path[max(1, len(path) - 1) :]
        elif answer in ("r", "restart"):
            del path[1:]
        elif answer.isascii() and answer.isdigit() and 1 <= int(answer) <= len(choices):
            after = fire_state(net, compiled.observers, state, choices[int(answer) - 1])
            assert after is not None
            path.append(after)
        else:
            click.echo(f"`{answer}` is no choice here: {_KEYS}")


def _show(compiled: Compiled, state: State, choices: list[int], steps: int) -> None:
    from placet.net.final import PlaceClass
    from placet.report.words import clean, counted

    click.echo(f"after {counted(steps, 'step')}:" if steps else "at the start:")
    untold = (PlaceClass.BUDGET, PlaceClass.RECORD)
    for p, tokens in enumerate(state[: len(compiled.net.places)]):
        if tokens and compiled.final.classes[p] not in untold:
            times = f" ({tokens} times)" if tokens > 1 else ""
            click.echo(f"   - {clean(compiled.origin.places[p].phrase)}{times}")
    if not choices:
        ended = any(state[p] for p in compiled.final.ends)
        click.echo("the end is reached" if ended else "nothing can happen any more")
    for number, t in enumerate(choices, 1):
        fault = "FAULT: " if compiled.roles.transitions[t].fault else ""
        click.echo(f"  {number}  {fault}{clean(compiled.origin.transitions[t].phrase)}")
