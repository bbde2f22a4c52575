"""`placet mcc --examination X MODEL-FOLDER`: the Model Checking Contest's protocol.

Each answer is one line, printed and flushed as soon as it is known; what is not known when the time is over is printed as
CANNOT_COMPUTE, by a thread of its own, so that nothing that was known is lost to whatever is still being computed.
"""

from __future__ import annotations

import os
import sys
from threading import Lock, Timer
from time import monotonic
from typing import TYPE_CHECKING

import click

from placet.analysis.contest.examination import EXAMINATIONS, GLOBAL
from placet.cli import exit_codes
from placet.cli.group import debug_option

if TYPE_CHECKING:
    from placet.formats.mcc_properties import Property
    from placet.net.core import Marking, Net

SIZES = ("STATES", "TRANSITIONS", "MAX_TOKEN_IN_PLACE", "MAX_TOKEN_PER_MARKING")
RESERVE = 0.08  # of the time: for answers that come in late


@debug_option
@click.command()
@click.argument("folder", type=click.Path())
@click.option(
    "--examination", required=True, type=click.Choice(EXAMINATIONS), metavar="NAME", help="Which examination."
)
@click.option("--timeout", type=float, default=25.0, show_default=True, help="Seconds, for all of it.")
def command(folder: str, examination: str, timeout: float) -> int:
    """Answer an examination of the Model Checking Contest on a folder with `model.pnml` and the contest's property files.

    The examinations are StateSpace, ReachabilityDeadlock, ReachabilityCardinality, ReachabilityFireability, UpperBounds,
    CTLCardinality, CTLFireability, LTLCardinality, LTLFireability, OneSafe, QuasiLiveness, Liveness, StableMarking.
    """
    begun = monotonic()
    sys.set_int_max_str_digits(0)  # numbers of states have as many as they have
    net, initial = _model(folder)
    properties = () if examination in GLOBAL or examination == "StateSpace" else _properties(folder, examination, net)
    names = [p.id for p in properties] or ([examination] if examination in GLOBAL else [])
    answers = _Answers(names, sizes=examination == "StateSpace")
    guard = Timer(max(0.0, begun + timeout - monotonic()), answers.give_up)
    guard.daemon = True
    guard.start()
    try:
        _examine(examination, net, initial, properties, begun + timeout * (1 - RESERVE), answers)
    finally:
        guard.cancel()
    return exit_codes.PROVED if answers.finish() else exit_codes.INCONCLUSIVE


class _Answers:
    """The answers that are still owed. Every line goes through here, under one lock."""

    def __init__(self, names: list[str], *, sizes: bool) -> None:
        self._owed = dict.fromkeys(SIZES if sizes else names)
        self._sizes = sizes
        self._lock = Lock()
        self._whole = True

    def tell(self, name: str, answer: str) -> None:
        """Print an answer, once."""
        with self._lock:
            if name in self._owed:
                del self._owed[name]
                self._print(name, answer)

    def finish(self) -> bool:
        """Print what is still owed as not computed; whether there was nothing."""
        with self._lock:
            for name in self._owed:
                self._whole = False
                self._print(name, "CANNOT_COMPUTE")
            self._owed = {}
            return self._whole

    def give_up(self) -> None:
        """The time is over: print what is owed, and end the process, whatever it is at."""
        self.finish()
        os._exit(exit_codes.INCONCLUSIVE)

    def _print(self, name: str, answer: str) -> None:
        if answer == "CANNOT_COMPUTE" and self._sizes:
            line = f"STATE_SPACE {name} CANNOT_COMPUTE"
        elif self._sizes:
            line = f"STATE_SPACE {name} {answer} TECHNIQUES EXPLICIT DECISION_DIAGRAMS"
        else:
            techniques = (
                ""
                if answer == "CANNOT_COMPUTE"
                else " TECHNIQUES EXPLICIT DECISION_DIAGRAMS STRUCTURAL_REDUCTION STATE_EQUATION"
            )
            line = f"FORMULA {name} {answer}{techniques}"
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


def _examine(
    examination: str, net: Net, initial: Marking, properties: tuple[Property, ...], until: float, answers: _Answers
) -> None:
    from placet.analysis.contest.context import Context
    from placet.analysis.contest.examination import examine

    formulas = {p.id: p.formula for p in properties if p.formula is not None}
    bounds = {p.id: p.bound for p in properties if p.bound is not None}
    try:
        examine(examination, Context(net, initial, until, answers.tell), formulas, bounds)
    except MemoryError:
        print("the memory is used up; what was known has been printed", file=sys.stderr)


def _model(folder: str) -> tuple[Net, Marking]:
    """The net of `model.pnml`. Raises ModelError where there is none."""
    from placet.errors import ModelError
    from placet.formats.pnml import read
    from placet.project.reading import read as read_file

    source, problems = read_file(os.path.join(folder, "model.pnml"))  # noqa: PTH118
    if source is None:
        raise ModelError(problems)
    compiled, problems = read(source)
    if compiled is None:
        raise ModelError(tuple(p for p in problems if p.severity == "error"))
    return compiled.net, compiled.initial


def _properties(folder: str, examination: str, net: Net) -> tuple[Property, ...]:
    """The properties of the examination. Raises ModelError where there is no file of them."""
    from placet.cli.failures import show
    from placet.errors import ModelError
    from placet.formats.mcc_properties import read
    from placet.project.reading import read as read_file

    source, problems = read_file(os.path.join(folder, f"{examination}.xml"))  # noqa: PTH118
    if source is None:
        raise ModelError(problems)
    found, problems = read(source, net)
    show(problems)
    return found
