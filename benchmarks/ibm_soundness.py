"""Soundness of the industrial workflow nets with any sink as final marking: right, wrong, undecided, and times.

    python benchmarks/ibm_soundness.py [--corpora FOLDER] [--no-reduce] [--limit SECONDS] [--slowest N]

The verdicts are held against `ibm/EXPECTED.csv`; a wrong one makes the exit status 1. Times are processor times of deciding
and replaying, without reading the file; the garbage collector is off meanwhile, as in the pipeline.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
from pathlib import Path
from time import process_time

from placet.analysis.strategy import Options, decide
from placet.compiled import Query
from placet.errors import EvidenceError
from placet.evidence import Holds, Violated
from placet.formats.pnml import read
from placet.pipeline import Uncollected
from placet.source import SourceFile

BESIDE = Path(__file__).resolve().parent.parent.parent / "shared" / "corpora"


def answer(path: Path, options: Options) -> tuple[str, float, str]:
    """(true, false or ?, seconds, what else there is to say)."""
    compiled, problems = read(SourceFile(str(path), path.read_text(encoding="utf-8")), final="any-sink")
    if compiled is None:
        return "?", 0.0, problems[0].message
    begun = process_time()
    try:
        with Uncollected():
            (decided,) = decide(compiled, (Query("sound", "sound"),), options)
    except EvidenceError as error:
        return "?", process_time() - begun, f"NOT REPLAYED: {error}"
    seconds, verdict = process_time() - begun, decided.verdict
    if isinstance(verdict, Holds):
        return "true", seconds, f"{verdict.proof.states} states"
    if isinstance(verdict, Violated):
        partly = "; ".join(decided.replayed.partly) if decided.replayed else "NOT REPLAYED"
        return "false", seconds, f"{type(verdict.claim).__name__} {partly}"
    return "?", seconds, verdict.reason


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--corpora", type=Path, default=Path(os.environ.get("PLACET_CORPORA", BESIDE)))
    parser.add_argument("--no-reduce", action="store_true")
    parser.add_argument("--limit", type=float, default=2.0, help="seconds within which a net should be decided")
    parser.add_argument("--slowest", type=int, default=10)
    given = parser.parse_args()
    options = Options(reduce=not given.no_reduce)
    rows = list(csv.DictReader((given.corpora / "ibm" / "EXPECTED.csv").open(encoding="utf-8")))
    found = [(row, *answer(given.corpora / row["net"], options)) for row in rows]
    wrong = [
        (row["net"], told, more)
        for row, told, _, more in found
        if "?" not in (told, row["sound"]) and told != row["sound"]
    ]
    undecided = [(row["net"], more) for row, told, _, more in found if told == "?"]
    broken = [(row["net"], more) for row, _, _, more in found if "NOT REPLAYED" in more]
    partly = sum("too many" in more for _, _, _, more in found)
    fresh = [(row["net"], told) for row, told, _, _ in found if row["sound"] == "?" and told != "?"]
    times = sorted(seconds for _, _, seconds, _ in found)
    within = sum(told != "?" and seconds <= given.limit for _, told, seconds, _ in found)
    print(
        f"{len(found)} nets: {len(wrong)} wrong, {len(undecided)} undecided, {len(broken)} not replayed, {partly} in part"
    )
    print(f"decided within {given.limit:g} s: {within} ({100 * within / len(found):.1f} %)")
    print(
        f"seconds: median {times[len(times) // 2]:.4f}, p95 {times[len(times) * 95 // 100]:.4f}, worst {times[-1]:.3f}, sum {sum(times):.1f}"
    )
    for title, some in (
        ("wrong", wrong),
        ("undecided", undecided),
        ("not replayed", broken),
        ("not known before", fresh),
    ):
        for line in some[:20]:
            print(title, *line)
    for row, told, seconds, more in sorted(found, key=lambda f: -f[2])[: given.slowest]:
        print(f"{seconds:8.3f}  {row['net']} {row['places']} places, {row['states']} states: {told}, {more}")
    return 1 if wrong or broken else 0


if __name__ == "__main__":
    sys.exit(main())
