"""Which events of a process are signals: those that it declares, and those that it receives `buffered`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.findings import figure
from placet.diagnostics import Label
from placet.ir import model as ir
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.compile.findings import Findings
    from placet.compile.topics import Topics
    from placet.source import Span
    from placet.syntax import ast

ARRIVALS = 2  # of a signal, where nothing is said
MOST_ARRIVALS = 9


def arrivals(written: ast.Number | None, otherwise: int, findings: Findings) -> tuple[int, bool]:
    """How often a signal may come, and whether that was said."""
    if written is None:
        return otherwise, False
    if 1 <= written.value <= MOST_ARRIVALS:
        return written.value, True
    if written.value < 1:
        findings.add("P296", "what never comes need not be waited for", written.span, help="write 1 or more")
    else:
        message = f"{figure(written.value)} arrivals are more than can be looked at"
        findings.add("P217", message, written.span, help="two or three show what many show")
    return otherwise, True


class _Signal(NamedTuple):
    most: int
    given: bool
    span: Span


class Signals:
    """The signals of one process; what is received is told while its body is read."""

    def __init__(self, declared: tuple[ast.Signal, ...], findings: Findings) -> None:
        self._findings = findings
        self._taken: dict[str, Span] = {}
        self._buffered: dict[str, Span] = {}
        self._unbuffered: dict[str, Span] = {}
        self.found: dict[str, _Signal] = {}
        for declaration in declared:
            most, _ = arrivals(declaration.at_most, 1, findings)
            for name in declaration.names:
                if (first := self.found.get(name.text)) is not None:
                    labels = (Label(first.span, "the first one"),)
                    message = f"the signal `{name.text}` is declared twice"
                    findings.add("P296", message, name.span, labels=labels, help="keep one of them")
                self.found.setdefault(name.text, _Signal(most, True, name.span))

    def received(self, statement: ast.Receive, topic: str) -> None:
        """Somebody waits for an event, buffered or not."""
        name, span = statement.event.text, statement.event.span
        if topic:
            self._is_message(name, span, declared=statement.buffered or name in self.found)
            return
        self._taken.setdefault(name, span)
        (self._buffered if statement.buffered else self._unbuffered).setdefault(name, span)

    def handled(self, event: ast.Name, topics: Topics) -> None:
        """A handler takes it; whether it is buffered is for others to say."""
        if topics.of(event):
            self._is_message(event.text, event.span, declared=True)
        self._taken.setdefault(event.text, event.span)

    def _is_message(self, name: str, span: Span, *, declared: bool) -> None:
        if declared:
            message = f"`{name}` is a message of a topic, which keeps it anyway, and no signal"
            help_ = "write `receive` alone; to react to it at any time, put the receiving into a branch of a `parallel`"
            self._findings.add("P296", message, span, help=help_)

    def known(self) -> tuple[ir.Signal, ...]:
        """All signals, once the body is read; contradictions are reported."""
        for name, span in self._buffered.items():
            if name in self._unbuffered:
                labels = (Label(span, "buffered here"),)
                message = f"`{name}` is received with and without `buffered`"
                help_ = "a process has one mailbox for a signal: write `buffered` at all of them, or at none"
                self._findings.add("P295", message, self._unbuffered[name], labels=labels, help=help_)
            self.found.setdefault(name, _Signal(ARRIVALS, False, span))
        for name, signal in self.found.items():
            if name not in self._taken:
                message = f"nothing waits for the signal `{name}`"
                help_ = f"write `receive {name}`, or `on signal {name}`; or leave the declaration out"
                self._findings.add("P296", message, signal.span, severity="warning", help=help_)
        return tuple(
            [ir.Signal(name, name in self._buffered, s.most, s.given, s.span) for name, s in self.found.items()]
        )
