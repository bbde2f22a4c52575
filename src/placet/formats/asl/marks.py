"""What each statement that a definition becomes stands for, remembered by its id until the net is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.formats.asl.errors import Class
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from placet.source import Span

ITEM = "iter:#"  # in a scope: the number of the item is known when the net is there


class Mark(NamedTuple):
    """A statement: what happens by it, in which state and scope, and what its variants are told by.

    `base` is the id that the transition's own id begins with, where that is another one.
    """

    role: str
    state: str = ""
    scope: tuple[str, ...] = ()
    span: Span | None = None
    target: str = ""
    via: str = ""
    base: str = ""
    kind: str = ""
    step: str = ""  # the thing of the file that happens by it
    errors: Class = Class(())
    raises: tuple[Class, ...] = ()  # by its variants


class Marks:
    """All of them, and the classes of errors by their words."""

    def __init__(self) -> None:
        self.of: dict[str, Mark] = {}
        self.classes: dict[str, Class] = {}

    def named(self, classes: Iterable[Class]) -> tuple[str, ...]:
        """The words of classes, which are the names of errors from here on."""
        found = []
        for one in classes:
            text = one.text
            known = self.classes.setdefault(text, one)
            if known.but != one.but:
                self.classes[text] = known._replace(but=tuple(n for n in known.but if n in one.but))
            found.append(text)
        return tuple(dict.fromkeys(found))
