"""What is raised where an answer would take too long to find, or to write down; whoever asked catches it."""

from __future__ import annotations


class OutOfTimeError(Exception):
    """The time that was given is over."""


class TooLongError(Exception):
    """A trace that is too long to be written out; the number of its steps."""
