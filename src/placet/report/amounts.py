"""How much was made or lost, in which accounts, and which steps did it: the words of a violated `conserved`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.logic.state import Linear
from placet.report.run import end_name, marked_ends, walk
from placet.report.words import listed, quoted, short
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from placet.report.run import Run


class Account(NamedTuple):
    """An account and what it has more (or less) than before, at the end of the run."""

    name: str
    by: int


def accounts(run: Run) -> list[Account]:
    """The accounts of the check in the order of the model."""
    return [
        Account(name, sum(by * run.last[index] for index, by in linear.terms))
        for linear, name in run.query.atoms
        if isinstance(linear, Linear)
    ]


def imbalance(run: Run) -> str:
    """What goes wrong, in one clause: how much is made or lost, and where."""
    subject = quoted(run.compiled.subject)
    found = accounts(run)
    total = sum(account.by for account in found)
    ends = marked_ends(run.compiled, run.last)
    how = f"ends as {end_name(run.compiled, ends[0])}" if ends else "is over"
    if not total:
        return f"{subject} {how}, and what it moves is never in balance again"
    changed = [account for account in found if account.by]
    what = f"{abs(total)} {'is' if abs(total) == 1 else 'are'} {'lost' if total < 0 else 'made out of nothing'}"
    return f"{subject} {how}, and {what}: {listed([_stands(account) for account in changed])}"


def _stands(account: Account) -> str:
    return f"{quoted(account.name)} has {abs(account.by)} {'less' if account.by < 0 else 'more'} than before"


def imbalance_reasons(run: Run) -> Iterator[str]:
    """For each step that is left with its amounts moved, when it did so; where none is, for each that moved some."""
    steps = {f"{step.id}#moved": step for step in run.compiled.roles.steps}
    moves: dict[int, list[tuple[str, int]]] = {}
    for linear, name in run.query.atoms:
        if isinstance(linear, Linear):
            for index, by in linear.terms:
                moves.setdefault(index, []).append((name, by))
    history: dict[int, list[tuple[int, int]]] = {index: [] for index in moves}
    before = {index: run.compiled.start[index] for index in moves}
    for n, (_, state, _) in enumerate(walk(run.compiled, run.fired)):
        for index in moves:
            if state[index] != before[index]:
                history[index].append((n, state[index] - before[index]))
                before[index] = state[index]
    open_ = [index for index in moves if run.last[index]] or [index for index in moves if history[index]]
    for index in open_:
        step, of_step = steps.get(run.compiled.observers[index - run.width].id), moves[index]
        if step is not None:
            yield _told(run, short(step.id), of_step, history[index], run.last[index])


def _told(run: Run, name: str, moves: list[tuple[str, int]], history: list[tuple[int, int]], value: int) -> str:
    words = listed(
        [f"{'gives' if by > 0 else 'takes'} {abs(by)} {'to' if by > 0 else 'from'} {quoted(a)}" for a, by in moves]
    )
    applied = [run.number(n) for n, by in history if by > 0]
    undone = [run.number(n) for n, by in history if by < 0]
    told = (
        f"{quoted(name)} {words} in {_steps(applied)}" if applied else f"{quoted(name)}, which {words}, is never done"
    )
    if undone:
        told += f"{' and is' if applied else ', but'} undone in {_steps(undone)}"
    elif value > 0:
        told += ", and nothing undoes it after that"
    return told


def _steps(numbers: list[int]) -> str:
    return f"step {numbers[0]}" if len(numbers) == 1 else f"steps {listed([str(n) for n in numbers])}"
