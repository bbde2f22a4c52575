"""What is done each time that so much has passed: a loop of a time and a block, and what becomes of a run that is due too early.

Times are ignored by verification, so the next run may be due at any moment while the last one goes on. With `skip` that changes
nothing. With `queue` it begins as soon as the last one is over; how many wait nothing can tell, since more are due at any moment after.
With `cancel` it takes the place of the last one, and with `allow` it goes on beside it, up to a number of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.names import CANCELLED, DUE, NEXT
from placet.ir import model as ir
from placet.syntax import ast

if TYPE_CHECKING:
    from collections.abc import Callable

    from placet.compile.findings import Findings

ALLOW = "allow"


def checked(every: ast.Every, findings: Findings) -> str:
    """How its runs overlap; what cannot be meant is reported."""
    how = every.overlap.text
    if how not in OVERLAPS and how != ALLOW:
        help_ = findings.meant(
            how,
            (*OVERLAPS, ALLOW),
            "runs that are due too early `skip`, `queue`, `cancel` the last one, or are `allow`ed",
        )
        findings.add("P298", f"`{how}` is nothing that runs do when they overlap", every.overlap.span, help=help_)
        return "skip"
    if how != ALLOW and every.at_most is not None:
        message = f"with `overlap {how}` there is one run at a time"
        findings.add(
            "P298", message, every.at_most.span, help="leave `at_most` out, or write `overlap allow at_most 2`"
        )
    elif how == ALLOW and every.at_most is None:
        message = "nothing says how many runs may go on at once"
        findings.add(
            "P298", message, every.overlap.span, help="write `overlap allow at_most 2`, or as many as there can be"
        )
        return "skip"
    elif how == ALLOW and every.at_most is not None and every.at_most.value < 1:
        findings.add("P298", "with 0 at once none would ever begin", every.at_most.span, help="write 1 or more")
        return "skip"
    if every.rounds is not None and every.rounds.value < 1:
        findings.add("P298", "with 0 runs none would ever begin", every.rounds.span, help="write 1 or more")
    return how


def side_by_side(every: ast.Every) -> ast.ForEach:
    """The runs that may go on at once, as instances of its block with numbers that no condition can speak of."""
    most = every.at_most or ast.Number(1, every.span)
    number = ast.Name(f"every {every.duration.text}", every.span)
    return ast.ForEach(number, most._replace(value=1, name=""), most, None, True, None, every.body, every.span)


def so_often(every: ast.Every, how: str) -> ast.ForEach:
    """All runs of one that begins so many and no more, each an instance: one after the other, or some of them at once."""
    most = every.rounds or ast.Number(1, every.span)
    most = most._replace(value=max(1, most.value))
    number = ast.Name(f"every {every.duration.text}", every.span)
    first = most._replace(value=1, name="")
    return ast.ForEach(
        number, first, most, every.at_most if how == ALLOW else None, how == ALLOW, None, every.body, every.span
    )


def run_of(every: ast.Every, identifier: str, body: ir.Sequence, number: int) -> ir.Statement:
    """One run of so many, with the wait before it; where it may be cancelled, with the wait for the next one, which it ends by."""
    span, how = every.span, every.overlap.text
    wait = _timer(every, f"{identifier}/timer")
    if how == "cancel":
        last = every.rounds is None or number >= max(1, every.rounds.value)
        run = body if last else _displaced(every, identifier, body)
        return run if number > 1 else ir.Sequence(f"{identifier}{{}}", (wait, run), span)
    before: ir.Statement = wait
    if how == "queue" and number > 1:
        due = ir.Way(f"{identifier}{DUE}", None, ir.Sequence(f"{identifier}{DUE}{{}}", (), span), span)
        later = ir.Way(f"{identifier}[next]", None, ir.Sequence(f"{identifier}[next]{{}}", (wait,), span), span)
        before = ir.Choice(f"{identifier}/queue", (due, later), exhaustive=True, span=span)
    return ir.Sequence(f"{identifier}{{}}", (before, body), span)


def _displaced(every: ast.Every, identifier: str, body: ir.Sequence) -> ir.Scope:
    """A run and the wait for the next one. When the time passes before it is over it turns back, and there is no wait any more.

    Only what is interrupted is undone in a saga: a run that is over stays, whatever comes while the next one is waited for.
    """
    span, text, its = every.span, every.duration.text, every.duration.span
    gone = ir.Raise(f"{identifier}/next", NEXT, its)
    raised = ir.Sequence(f"{identifier}{CANCELLED}{{}}", (gone,), span)
    inner = ir.Scope(
        f"{identifier}[run]",
        body,
        (ir.Handler(f"{identifier}{CANCELLED}", "timeout", text, raised, span=its),),
        span=span,
    )
    both = ir.Sequence(f"{identifier}[run]{{}}", (inner, _timer(every, f"{identifier}/timer[next]")), span)
    nothing = ir.Sequence(f"{identifier}[next]{CANCELLED}{{}}", (), span)
    return ir.Scope(
        f"{identifier}[whole]",
        both,
        (ir.Handler(f"{identifier}[next]{CANCELLED}", "error", NEXT, nothing, span=its),),
        span=span,
    )


def repeated(every: ast.Every, identifier: str, body: ir.Sequence) -> ir.Loop:
    """A loop of the time and the block: what is due while the block goes on is left out."""
    both = ir.Sequence(f"{identifier}{{}}", (_timer(every, f"{identifier}/timer"), body), every.span)
    return ir.Loop(identifier, both, "never", span=every.span)


def queued(every: ast.Every, identifier: str, body: ir.Sequence) -> ir.Sequence:
    """After each run the next one, if it is due already, or else when it is."""
    due = ir.Way(f"{identifier}{DUE}", None, ir.Sequence(f"{identifier}{DUE}{{}}", (), every.span), every.span)
    next_ = _timer(every, f"{identifier}/timer[next]")
    later = ir.Way(
        f"{identifier}[next]", None, ir.Sequence(f"{identifier}[next]{{}}", (next_,), every.span), every.span
    )
    choice = ir.Choice(f"{identifier}/queue", (due, later), exhaustive=True, span=every.span)
    return _begun(every, identifier, ir.Sequence(f"{identifier}{{}}", (body, choice), every.span))


def cancelled(every: ast.Every, identifier: str, body: ir.Sequence) -> ir.Sequence:
    """A time that passes while a run goes on interrupts it."""
    both = ir.Sequence(f"{identifier}{{}}", (body, _timer(every, f"{identifier}/timer[next]")), every.span)
    nothing = ir.Sequence(f"{identifier}{CANCELLED}{{}}", (), every.span)
    handler = ir.Handler(f"{identifier}{CANCELLED}", "timeout", every.duration.text, nothing, span=every.duration.span)
    return _begun(every, identifier, ir.Scope(f"{identifier}[run]", both, (handler,), span=every.span))


def _begun(every: ast.Every, identifier: str, rounds: ir.Statement) -> ir.Sequence:
    loop = ir.Loop(identifier, rounds, "never", span=every.span)
    return ir.Sequence(f"{identifier}[first]{{}}", (_timer(every, f"{identifier}/timer"), loop), every.span)


def _timer(every: ast.Every, identifier: str) -> ir.Timer:
    duration = every.duration
    return ir.Timer(identifier, duration.seconds, duration.text, duration.span)


OVERLAPS: dict[str, Callable[[ast.Every, str, ir.Sequence], ir.Statement]] = {
    "skip": repeated,
    "queue": queued,
    "cancel": cancelled,
}
