"""Where an event of a Step Functions history stands: in which state, and in which item of which Map.

The service says this only once, when an item starts; everything else hangs on it by `previousEventId`. Events of items
that run at the same time are interleaved in the history, so their order alone tells nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.conform.record import Copies, Event

LEFT = "left"
EVALUATION = "evaluation"


class _Container:
    """A Map or Parallel state while it runs; `outer` is what is around it."""

    def __init__(self, name: str, kind: str, outer: _Frames) -> None:
        self.name = name
        self.kind = kind
        self.outer = outer
        self.open = True


_Frames: TypeAlias = "tuple[tuple[_Container, int], ...]"


class _Here(NamedTuple):
    """What is around an event: the containers with the item in each (-1: in none), and the state with its kind."""

    frames: _Frames = ()
    state: str = ""
    kind: str = ""


def _copies(frames: _Frames) -> Copies:
    return tuple([index for container, index in frames if container.kind == "map" and index >= 0])


class Scopes:
    """Places the events of one case, one after the other; each costs its nesting."""

    def __init__(self) -> None:
        self._last = _Here()
        self._at: dict[int, _Here] = {0: self._last}
        self._containers: list[_Container] = []
        self._kinds: dict[str, str] = {}
        self.missing: list[tuple[int, int]] = []  # (event, the event it says it followed, which is not in the log)

    def place(self, event: Event) -> Event:
        """The event with its state and its items."""
        before = self._at.get(event.cause)
        if before is None:
            if event.cause > 0 and event.id:
                self.missing.append((event.id, event.cause))
            before = self._last
        here = self._move(event, before)
        if event.id:
            self._at[event.id] = here
        self._last = here
        copies = _copies(here.frames)
        if event.kind == "iteration" and event.what != "started":
            copies = (*copies, event.item)
        name = event.name or (here.state if event.kind != "execution" else "")
        return event._replace(name=name, copies=copies)

    def _move(self, event: Event, before: _Here) -> _Here:
        kind, what, name = event.kind, event.what, event.name
        frames = _alive(before.frames)
        if kind == "state" and what == "entered":
            self._kinds[name] = event.service
            return _Here(frames, name, event.service)
        if kind == "state":
            found = self._find(frames, event.service, name) if event.service in ("map", "parallel") else None
            if found is not None:
                found.open = False
                frames = found.outer
            return _Here(frames, name, LEFT)
        if kind == "iteration":
            found = self._find(frames, "map", name) or self._opened(name)
            if found is None:
                return _Here(frames)
            index = event.item if what == "started" else -1
            return _Here((*found.outer, (found, index)), "" if what == "started" else found.name)
        if kind in ("map", "parallel"):
            return self._begins(kind, before, frames) if what == "started" else self._ends(event, before, frames)
        if kind == EVALUATION:
            return _Here(frames, name or before.state, EVALUATION)
        return _Here(frames, before.state, before.kind)

    def _begins(self, kind: str, before: _Here, frames: _Frames) -> _Here:
        """A Map or Parallel starts, or is started again; the event does not name it."""
        found = None if before.kind == kind else self._find(frames, kind, "")
        if found is None:
            found = _Container(before.state, kind, frames)
            self._containers.append(found)
        return _Here((*found.outer, (found, -1)), found.name)

    def _ends(self, event: Event, before: _Here, frames: _Frames) -> _Here:
        """A Map or Parallel succeeds or fails; the event does not name it."""
        kind = event.kind
        own = before.kind == EVALUATION and self._kinds.get(before.state) == kind
        if before.kind == kind or (own and self._find(frames, kind, before.state) is None):  # it was not started
            here = _Here(frames, before.state, LEFT)
            self._at[event.cause] = here  # what contains it fails with the same cause
            return here
        found = self._find(frames, kind, before.state if own else "")
        if found is None:
            return _Here(frames, before.state, LEFT)
        found.open = False
        return _Here(found.outer, found.name, LEFT)

    @staticmethod
    def _find(frames: _Frames, kind: str, name: str) -> _Container | None:
        """The innermost container around, of that kind and name."""
        for container, _ in reversed(frames):
            if container.kind == kind and name in ("", container.name):
                return container
        return None

    def _opened(self, name: str) -> _Container | None:
        """The Map of that name that was started last and still runs."""
        for container in reversed(self._containers):
            if container.open and container.name == name:
                return container
        return None


def _alive(frames: _Frames) -> _Frames:
    """Without what has ended since."""
    for n, (container, _) in enumerate(frames):
        if not container.open:
            return frames[:n]
    return frames
