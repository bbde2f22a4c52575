"""What every reader of logs gives: events and cases, in one vocabulary."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.diagnostics import Diagnostic

Copies: TypeAlias = tuple[int, ...]  # which item of each Map around, outermost first, from 0


class Event(NamedTuple):
    """One event of a run.

    `kind` says what it happened to (execution, state, task, map, iteration, parallel, evaluation, step, undo, timer,
    signal, child) and `what` what happened: entered, exited, scheduled, started, succeeded, failed, timed_out, aborted,
    refused. `cause` is the id of the event that it followed from, where the log says so.
    """

    number: int  # its position in the case, from 1
    type: str  # as the log spells it
    kind: str
    what: str
    name: str = ""
    error: str = ""
    id: int = 0  # the log's own number; 0: the log gives none, and no order
    cause: int = -1  # -1: the log does not say
    copies: Copies = ()
    item: int = -1  # of a Map: which one this is about, from 0
    items: int = -1  # of a Map: how many it has
    service: str = ""
    line: int = 0  # of the log, from 1


class Case(NamedTuple):
    """One run: everything a log says about it, in the order of the log.

    `complete` is false where the log stops before the run was over. `problems` are gaps that the reader noticed.
    """

    name: str
    path: str
    source: str  # step functions, temporal, runs
    events: tuple[Event, ...]
    complete: bool = True
    problems: tuple[str, ...] = ()


class Log(NamedTuple):
    """A file of recorded runs, and what was wrong with it: with an error there may still be cases before it."""

    path: str
    cases: tuple[Case, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = ()


class LogError(Exception):
    """A log cannot be read on; never leaves this room."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.line = line
