"""What an event of a log means for a model: the bridge between the two vocabularies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.conform.observed import Label
    from placet.conform.record import Event
    from placet.conform.replay import Tables


class Meaning(NamedTuple):
    """One of: the labels of which one must come next; nothing (`aside`); what the model leaves out; what it has not.

    `then` are further labels that the same event shows, one after the other.
    """

    labels: tuple[Label, ...] = ()
    then: tuple[tuple[Label, ...], ...] = ()
    aside: bool = False
    abstract: str = ""  # why nothing can be said from here on
    foreign: str = ""  # why no run of the model has this


ASIDE = Meaning(aside=True)


class Reading(Protocol):
    """One run, read event by event. It may remember what came before."""

    def of(self, event: Event) -> Meaning:
        """What the event means."""


class Vocabulary(Protocol):
    """A model as a log of one kind speaks about it."""

    @property
    def tables(self) -> Tables:
        """The net with its labels."""

    @property
    def quick(self) -> Tables | None:
        """A smaller net that shows at least all that the net shows, to refuse at once what it refuses; None: there is none."""

    def reading(self) -> Reading:
        """A new run."""

    def says(self, label: Label) -> str:
        """A label in words, for what could have come instead; empty for one that no reader needs to see."""
