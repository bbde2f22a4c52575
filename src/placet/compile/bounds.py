"""How large a process becomes once its loops around steps are unrolled and its calls are copied in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.findings import head
from placet.compile.flow import children
from placet.compile.vocabulary import statements
from placet.ir import model as ir

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placet.compile.findings import Findings
    from placet.source import Span

MOST = 500_000  # statements and attempts after unrolling; far beyond what can be explored, just small enough to compile


class Sizes:
    """Sizes of processes, callees before callers."""

    def __init__(self, processes: Mapping[str, ir.Process], findings: Findings) -> None:
        self._processes = processes
        self._findings = findings
        self.sizes: dict[str, int] = {}
        self._told: list[Span | None] = []  # loops that were reported
        self.stepping: dict[str, bool] = {}  # whether a saga step is in it, or in what it calls

    def add(self, process: ir.Process) -> None:
        """Measure a process whose callees are measured; report loops around steps without a bound, and excess."""
        size, stepping = self._measure(process.body)
        if process.kind == "saga":
            size *= 1 + max((s.at_most or 0 for s in statements(process.body) if isinstance(s, ir.Again)), default=0)
        self.stepping[process.id] = stepping
        self.sizes[process.id] = size
        if size > MOST:
            message = f"`{process.id}` unrolls to more than {MOST:,} statements"
            help_ = "lower the bounds of its loops and retries: two or three rounds show what many show"
            self._findings.add("P217", message, head(process.span), help=help_)
            self.sizes[process.id] = MOST // 100  # so that its callers are not reported for it

    def _measure(self, statement: ir.Statement | ir.Gateway) -> tuple[int, bool]:
        match statement:
            case ir.Step():
                return sum(rule.retry for rule in statement.errors) + statement.retry + 1, True
            case ir.Call(_, target) if not statement.detached:
                size, stepping = self._sum(statement)
                return size + self.sizes.get(target, 1), stepping or self.stepping.get(target, False)
            case ir.Loop(_, body, _, _, at_most):
                size, stepping = self._measure(body)
                if not stepping:
                    return size + (at_most or 1), False
                if at_most is None:
                    message = "a loop around steps needs a bound"
                    help_ = "write `at_most 3`: each round has undos of its own, so the rounds must be counted"
                    if statement.id.rpartition("/")[2].startswith(("every(", "run[")):
                        message = "runs with steps in them need a bound"
                        help_ = "say how many begin: `every 1h at_most 3 overlap ...`; each has undos of its own, so they must be counted"
                    if statement.span not in self._told:  # once for all instances of a block
                        self._told.append(statement.span)
                        self._findings.add("P216", message, head(statement.span), help=help_)
                return size * (at_most or 1), True
            case (
                ir.Task()
                | ir.Holding()
                | ir.Receive()
                | ir.Publish()
                | ir.Timer()
                | ir.Raise()
                | ir.End()
                | ir.Abandon()
                | ir.Again()
            ):
                return 1, False
        return self._sum(statement)

    def _sum(self, statement: ir.Statement | ir.Gateway) -> tuple[int, bool]:
        total, stepping = 1, False
        for child in children(statement):
            size, steps = self._measure(child)
            total += size
            stepping = stepping or steps
        return total, stepping
