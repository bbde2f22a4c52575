"""Deadlock, one-safeness, quasi-liveness, liveness and boundedness of the contest's nets: right, wrong, undecided, times.

    python benchmarks/contest_nets.py [--corpora FOLDER] [--no-reduce] [--seconds N] [--mb N] [--only PART]

The verdicts are held against `mcc/INDEX.csv`; all nets of the contest are bounded. Each net is decided in a process of
its own whose memory is limited, with a budget of seconds for each check; a wrong verdict, a violation that is not
replayed, or a check that exceeds its budget of seconds by more than half makes the exit status 1.
"""

from __future__ import annotations

import argparse
import csv
import os
import resource
import sys
from collections import Counter
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

from placet.analysis.strategy import Options, decide
from placet.compiled import Query
from placet.errors import EvidenceError
from placet.evidence import Budget, Holds, Violated
from placet.formats.pnml import read
from placet.pipeline import Uncollected
from placet.source import SourceFile

BESIDE = Path(__file__).resolve().parent.parent.parent / "shared" / "corpora"
COLUMNS = {"deadlock_free": "deadlock", "safe": "onesafe", "quasi_live": "quasilive", "live": "live", "bounded": ""}


def expected(row: dict[str, str], check: str) -> str:
    """true, false or ?."""
    if not COLUMNS[check]:
        return "true"
    told = row[COLUMNS[check]].lower()
    if told not in ("true", "false"):
        return "?"
    return str((told == "true") != (check == "deadlock_free")).lower()


def answers(job: tuple[Path, Options, int]) -> list[tuple[str, str, float, str]]:
    """(check, true, false or ?, seconds, what else there is to say) of one net."""
    path, options, megabytes = job
    resource.setrlimit(resource.RLIMIT_AS, (megabytes << 20, megabytes << 20))
    compiled, problems = read(SourceFile(str(path), path.read_text(encoding="utf-8")))
    if compiled is None:
        return [(check, "?", 0.0, problems[0].message) for check in COLUMNS]
    compiled = compiled._replace(final=compiled.final._replace(ends=()))
    return [(check, *_answer(compiled, check, options)) for check in COLUMNS]


def _answer(compiled, check: str, options: Options) -> tuple[str, float, str]:
    begun = perf_counter()
    try:
        with Uncollected():
            (decided,) = decide(compiled, (Query(check, check),), options)
    except (EvidenceError, MemoryError) as error:
        return "!", perf_counter() - begun, f"{type(error).__name__} {error}"
    seconds, verdict = perf_counter() - begun, decided.verdict
    if isinstance(verdict, Holds):
        return "true", seconds, verdict.proof.argument
    if isinstance(verdict, Violated):
        return "false", seconds, type(verdict.claim).__name__
    return "?", seconds, verdict.reason


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpora", type=Path, default=Path(os.environ.get("PLACET_CORPORA", BESIDE)))
    parser.add_argument("--no-reduce", action="store_true")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--mb", type=int, default=4096, help="of memory for each process")
    parser.add_argument("--only", default="", help="nets with this in their name")
    given = parser.parse_args()
    options = Options(budget=Budget(seconds=given.seconds), reduce=not given.no_reduce)
    rows = list(csv.DictReader((given.corpora / "mcc" / "INDEX.csv").open(encoding="utf-8")))
    rows = [row for row in rows if given.only in row["model"]]
    jobs = [(given.corpora / "mcc" / row["model"] / "model.pnml", options, given.mb) for row in rows]
    counts: Counter[tuple[str, str]] = Counter()
    bad = 0
    with get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        for row, found in zip(rows, pool.imap(answers, jobs), strict=True):
            for check, told, seconds, more in found:
                wanted = expected(row, check)
                kind = (
                    "right" if told == wanted else "undecided" if told == "?" else "new" if wanted == "?" else "wrong"
                )
                late = seconds > 1.5 * given.seconds
                counts[check, kind] += 1
                bad += kind == "wrong" or late
                if kind != "right" or late:
                    flag = "LATE" if late else ""
                    print(f"{kind:10}{check:14}{row['model']:40}{seconds:7.2f} {flag} {told} {more}", flush=True)
    for check in COLUMNS:
        print(check, {kind: n for (of, kind), n in sorted(counts.items()) if of == check})
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
