"""The states of a definition by the names that a sidecar gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from placet.compile.findings import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.compile.findings import Findings
    from placet.formats.asl.calls import Element
    from placet.syntax import ast


class States:
    """Finds states; what is not found, or found twice, is reported."""

    def __init__(self, machine: str, elements: Sequence[Element], findings: Findings) -> None:
        self.machine = machine
        self.findings = findings
        self.named: dict[str, list[Element]] = {}
        for element in elements:
            self.named.setdefault(element.name, []).append(element)
        self.by_path = {element.path[len(machine) + 1 :]: element for element in elements}

    def find(self, name: ast.Name | ast.Text) -> Element | None:
        """The state of that name, or of that path where several have the name: `Book/branch:0/Reserve`."""
        found = self.named.get(name.text, [])
        if len(found) == 1:
            return found[0]
        if found:
            paths = [element.path[len(self.machine) + 1 :] for element in found]
            message = f"{len(found)} states are called `{name.text}`: {listed(paths)}"
            self.findings.add("P803", message, name.span, help=f'write which one: `state "{paths[0]}" ...`')
            return None
        at = self.by_path.get(name.text)
        if at is None and name.text:
            known = [*self.named, *self.by_path]
            help_ = self.findings.meant(name.text, known, f"the states are {listed(self.named)}")
            if help_.startswith("did you mean") and not _plain(help_.split("`")[1]):
                help_ = f"{help_} such a name stands in quotes"
            message = f"`{self.machine}` has no state called `{name.text[:200]}`"
            self.findings.add("P803", message, name.span, help=help_)
        return at


def _plain(name: str) -> bool:
    """The name can stand without quotes."""
    import re

    return re.fullmatch(r"[^\W\d]\w*(?:[.-]\w+)*", name) is not None
