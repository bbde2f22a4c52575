"""Sharing work out to processes: the same results in the same order, whatever the number of workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(work: Callable[[Item], Result], items: Sequence[Item], jobs: int) -> Generator[Result, None, None]:
    """`work(item)` for every item, in the order of the items.

    One job, or one item, stays in this process. Otherwise `work` must be a function of a module, and items and results
    are copied between processes. When the caller stops early (Ctrl-C), what is still to be done is dropped.
    """
    if jobs <= 1 or len(items) <= 1:
        yield from map(work, items)
        return
    from concurrent.futures import ProcessPoolExecutor

    pool = ProcessPoolExecutor(min(jobs, len(items)), initializer=_leave_interrupts_to_the_parent)
    try:
        yield from pool.map(work, items, chunksize=max(1, min(16, len(items) // (jobs * 4))))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _leave_interrupts_to_the_parent() -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_DFL)
