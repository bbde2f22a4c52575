"""The places of the values of variables, made when somebody first asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.draft import RECORD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from placet.compile.draft import Draft
    from placet.ir.model import Variable


class Values:
    """The variables of one net: a record for each value, with one token among them."""

    def __init__(self, variables: Mapping[str, Variable], used: set[str]) -> None:
        self.variables = variables
        self.used = used  # what something reads or sets
        self._places: dict[str, tuple[int, ...]] = {}  # path of the variable -> the place of each value

    def of(self, draft: Draft, identifier: str, base: str, stem: str, actor: str) -> tuple[int, ...]:
        """The places of a variable in the process `stem`, which is at `base` in this net; one of the model is there once."""
        path = base + identifier[len(stem) :] if identifier.startswith(f"{stem}/") else identifier
        found = self._places.get(path)
        if found is None:
            variable = self.variables[identifier]
            name, span = variable.name, variable.span
            made = []
            for number, value in enumerate(variable.values):
                tokens = int(number == variable.initial)
                words = f"`{name}` is {value}"
                made.append(draft.place(f"{path}#is.{value}", identifier, words, span, actor, RECORD, tokens))
            found = self._places[path] = tuple(made)
        return found
