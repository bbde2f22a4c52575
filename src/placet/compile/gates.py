"""A parallel that lets so many of its ways run at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.env import record
from placet.compile.phrases import next_up

if TYPE_CHECKING:
    from placet.compile.env import Agenda, Env
    from placet.ir.model import Parallel


def counted(agenda: Agenda, path: str, env: Env, origin: str, words: str, most: int) -> list[int]:
    """Records for 0 to `most`; the token is on 0."""
    return [record(agenda, f"{path}[{i}]", env, origin, f"{i} {words}", None, int(i == 0)) for i in range(most + 1)]


class Gates:
    """The counters of a parallel that lets `width` of its ways run at once: how many run, and how many have begun.

    Ways begin in their order, since which of them waits makes no difference to anything. The counters are records, set back by
    every entry, so that no error that leaves the parallel need clear them.
    """

    def __init__(self, agenda: Agenda, stmt: Parallel, env: Env) -> None:
        self._agenda, self._stmt, self._env = agenda, stmt, env
        self._width = min(stmt.width or len(stmt.ways), len(stmt.ways))
        base = self._base = env.path(stmt.id)
        self.busy = counted(agenda, f"{base}#busy", env, stmt.id, "instances are running", self._width)
        self.begun = counted(agenda, f"{base}#begun", env, stmt.id, "instances have begun", len(stmt.ways))

    def _quietly(self, name: str, pre: tuple[int, ...], post: tuple[int, ...], phrase: str) -> None:
        stmt = self._stmt
        self._agenda.draft.quiet.add(self._agenda.move(name, pre, post, self._env, stmt.id, phrase, stmt.span))

    def opened(self, start: int) -> int:
        """From `start` to the place that is given: both counters are at 0."""
        for name, counter in (("busy", self.busy), ("begun", self.begun)):
            after = self._agenda.place(
                f"{self._base}#{name}", self._env, self._stmt.id, "the instances are about to begin", self._stmt.span
            )
            for i, place in enumerate(counter):
                self._quietly(
                    f"{self._base}#reset.{name}[{i}]", (start, place), (after, counter[0]), "nothing has begun"
                )
            start = after
        return start

    def through(self, number: int, start: int, done: int, env: Env, tested: tuple[int, ...] = ()) -> tuple[int, int]:
        """The places between which way `number` (from 0) runs: it begins when there is room, and then makes room again."""
        way = self._stmt.ways[number]
        its = env.path(way.id)
        agenda = self._agenda
        begin = agenda.place(f"{its}#begin", env, way.id, next_up(way.body), way.span)
        over = agenda.place(f"{its}#over", env, way.id, "an instance is over", way.span)
        turn = (self.begun[number], self.begun[number + 1])
        for i in range(self._width):
            pre, post = (start, self.busy[i], turn[0], *tested), (begin, self.busy[i + 1], turn[1], *tested)
            self._quietly(f"{its}#begins[{i + 1}]", pre, post, "an instance begins")
            self._quietly(
                f"{its}#makes.room[{i}]", (over, self.busy[i + 1]), (done, self.busy[i]), "an instance is over"
            )
        return begin, over
