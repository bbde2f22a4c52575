"""A definition without a sidecar: what is not known of its tasks, and what might undo what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from placet.compile.findings import listed
from placet.errors import ModelError
from placet.formats.asl import reader
from placet.formats.asl.calls import elements
from placet.project.reading import read
from placet.sidecar.annotated import without_role
from placet.sidecar.proposals import proposals
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.sidecar.proposals import Proposal


class Unannotated(NamedTuple):
    """One machine: its tasks of which nothing is known, and the guesses."""

    subject: str
    tasks: tuple[str, ...]
    proposed: tuple[Proposal, ...]

    def lines(self, file: str) -> list[str]:
        """What to tell, for people."""
        many = len(self.tasks)
        if not many:
            return [f"{self.subject}: no task of it changes anything, as far as their names say"]
        words = "1 task has no role" if many == 1 else f"{many} tasks have no role"
        found = [f"{self.subject}: nothing is claimed, {words}: {listed(self.tasks, 12)}"]
        if self.proposed:
            found += ["", "what may undo what, as names and `Catch` suggest; none of it is taken for granted:"]
            found += [f"  {p.step.name} undone by {p.undo.name}  ({p.why})" for p in self.proposed]
        return [*found, "", f"write a first sidecar with `placet annotate {file}`, correct it, and measure that"]


def unannotated(file: str, subject: str) -> Unannotated:
    """What is not known of a machine. Raises ModelError for a file that cannot be read."""
    source, problems = read(file)
    if source is None:
        raise ModelError(problems)
    machines, _ = reader.definitions(source)
    machine = next(machine for definition, machine, _ in machines if definition.name == subject)
    every = list(elements(subject, machine))
    return Unannotated(subject, tuple(without_role(every, set())), proposals(machine, every))


def document(found: Unannotated) -> dict[str, Any]:
    """The same as values that JSON knows."""
    return {
        "schema": "placet.coverage/1",
        "subject": found.subject,
        "verdict": "inconclusive",
        "feasible": 0,
        "without_role": list(found.tasks),
        "proposed": [{"step": p.step.name, "undone_by": p.undo.name, "why": p.why} for p in found.proposed],
    }
