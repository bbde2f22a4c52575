"""The entry point: the fast answers, and what becomes of every exception."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

from placet.cli import exit_codes

if TYPE_CHECKING:
    from collections.abc import Sequence


COMPLETE = "_PLACET_COMPLETE"  # how a shell asks for completions, as click has it


SELDOM = 50_000  # objects made between two looks of the garbage collector; a small model makes fewer


def process() -> int:
    """`main` in a process of its own, whose garbage is hardly worth collecting: a sixth of the time of a small model."""
    gc.set_threshold(SELDOM)
    status = main()
    gc.freeze()  # the interpreter looks at everything twice while it ends
    return status


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and give its exit status. Raises nothing but SystemExit out of the interpreter itself."""
    sys.set_int_max_str_digits(100_000)  # counts of states are written out, however many digits they have
    given = list(sys.argv[1:] if arguments is None else arguments)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by who called us
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - for the whole process
    try:
        status = _run(given)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader has had enough, as in `placet ... | head`
        _close_quietly()
        return exit_codes.PROVED
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return exit_codes.INTERRUPTED
    except Exception as problem:  # noqa: BLE001 - the last line of defence: one clear message, never a traceback
        return _failed(problem, debug="--debug" in given)
    return status


def _run(given: list[str]) -> int:
    if COMPLETE in os.environ:
        from placet.cli.group import complete

        return complete(os.environ[COMPLETE])
    if given in (["--help"], ["-h"], []):
        from placet.cli.commands import overview

        sys.stdout.write(overview())
        return exit_codes.PROVED if given else exit_codes.UNUSABLE
    if given == ["--version"]:
        from placet.cli.commands import version

        print(version())
        return exit_codes.PROVED
    from placet.cli.group import run

    return run(given)


def _failed(problem: Exception, *, debug: bool) -> int:
    from placet.cli.failures import fault, refusal
    from placet.errors import EvidenceError, PlacetError

    if isinstance(problem, (PlacetError, OSError)) and not isinstance(problem, EvidenceError):
        refusal(problem)
        if isinstance(problem, OSError):
            _close_quietly()  # what could not be written now cannot be at the end either
        return exit_codes.UNUSABLE
    fault(problem, debug=debug)
    return exit_codes.FAULT


def _close_quietly() -> None:
    """Point standard output at nothing, so that the interpreter's last flush does not complain."""
    from contextlib import suppress

    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(process())
