"""The Model Checking Contest's examinations against their oracles: right, unknown, wrong and seconds for each examination.

    python benchmarks/mcc.py [--corpora FOLDER] [--only RC,RF,...] [--most N] [--skip N] [--step N] [--timeout SECONDS] [--record FILE] [NET ...]

Each examination runs in a process of its own, as in the contest. Prints every unknown answer and every wrong one by name; a
wrong one makes the exit status 1. With `--record`, each result is a line of that file, and what it already knows is not asked
again, but for examinations with unknown answers that had less time: a long table can be made in parts.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from time import perf_counter
from typing import Any

BESIDE = Path(__file__).resolve().parent.parent.parent / "shared" / "corpora"

EXAMINATIONS = {
    "SS": "StateSpace", "RD": "ReachabilityDeadlock", "RC": "ReachabilityCardinality", "RF": "ReachabilityFireability",
    "UB": "UpperBounds", "CTLC": "CTLCardinality", "CTLF": "CTLFireability", "LTLC": "LTLCardinality",
    "LTLF": "LTLFireability", "OS": "OneSafe", "QL": "QuasiLiveness", "L": "Liveness", "SM": "StableMarking",
}  # fmt: skip
OPEN = ("?", "-1", "CANNOT_COMPUTE", "DO_NOT_COMPETE")
FILES = ("RC", "RF", "UB", "CTLC", "CTLF", "LTLC", "LTLF")


def answers(text: str) -> dict[str, str]:
    return dict(re.findall(r"^(?:FORMULA|STATE_SPACE) (\S+) (\S+)", text, re.MULTILINE))


def ask(folder: Path, examination: str, timeout: float) -> tuple[dict[str, str], float, str]:
    """The answers, the seconds, and what went wrong."""
    begun = perf_counter()
    command = [
        sys.executable,
        "-m",
        "placet",
        "mcc",
        "--debug",
        "--examination",
        examination,
        "--timeout",
        str(timeout),
        str(folder),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout * 1.2 + 5, check=False)
    except subprocess.TimeoutExpired:
        return {}, perf_counter() - begun, "did not end in time"
    trouble = done.stderr.strip() if "Traceback" in done.stderr or done.returncode not in (0, 3) else ""
    return answers(done.stdout), perf_counter() - begun, trouble


def examine(folder: Path, key: str, oracle: Path, timeout: float) -> dict[str, Any]:
    """One examination of one net, counted; what is unknown or wrong is printed."""
    name = folder.name
    want = {q: v for q, v in answers(oracle.read_text(encoding="utf-8")).items() if v not in OPEN}
    got, took, trouble = ask(folder, EXAMINATIONS[key], timeout)
    if trouble:
        print("TROUBLE", name, key, trouble[-2000:], flush=True)
    unknown = [q for q in want if got.get(q, "?") in OPEN]
    wrong = [q for q in want.keys() - set(unknown) if got[q] != want[q]]
    for q in wrong:
        print("WRONG", name, q, "oracle", want[q], "placet", got[q], flush=True)
    if unknown:
        print("unknown", name, key, len(unknown), "of", len(want), f"{took:.1f} s", flush=True)
    right = len(want) - len(unknown) - len(wrong)
    return {
        "net": name,
        "examination": key,
        "timeout": timeout,
        "right": right,
        "unknown": len(unknown),
        "wrong": len(wrong),
        "seconds": round(took, 2),
    }


def recorded(file: Path | None) -> dict[tuple[str, str], dict[str, Any]]:
    """The best line of each net and examination, with the most time that it was given; a wrong answer is never passed over."""
    best: dict[tuple[str, str], dict[str, Any]] = {}
    for text in file.read_text(encoding="utf-8").splitlines() if file is not None and file.exists() else ():
        line = json.loads(text)
        key = (line["net"], line["examination"])
        known = best.get(key, line)
        better = min(known, line, key=lambda one: (-one["wrong"], one["unknown"]))
        best[key] = {**better, "timeout": max(known["timeout"], line["timeout"])}
    return best


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("nets", nargs="*")
    parser.add_argument("--corpora", type=Path, default=Path(os.environ.get("PLACET_CORPORA", BESIDE)))
    parser.add_argument("--only", default=",".join(EXAMINATIONS))
    parser.add_argument("--most", type=int, default=1 << 30)
    parser.add_argument("--skip", type=int, default=0)
    parser.add_argument("--step", type=int, default=1, help="every so many-th net")
    parser.add_argument("--timeout", type=float, default=25.0)
    parser.add_argument("--record", type=Path)
    given = parser.parse_args()
    names = sorted(p.parent.name for p in (given.corpora / "mcc").glob("*/model.pnml"))
    names = given.nets or names[given.skip :: given.step][: given.most]
    known = recorded(given.record)
    count: Counter[tuple[str, str]] = Counter()
    seconds: Counter[str] = Counter()
    for name in names:
        folder = given.corpora / "mcc" / name
        for key in given.only.split(","):
            oracle = folder / "oracle" / f"{key}.out"
            if not oracle.exists() or (key in FILES and not (folder / f"{EXAMINATIONS[key]}.xml").exists()):
                continue
            before = known.get((name, key))
            if before is None or (before["unknown"] and before["timeout"] < given.timeout):
                before = examine(folder, key, oracle, given.timeout)
                if given.record:
                    with given.record.open("a", encoding="utf-8") as file:
                        print(json.dumps(before), file=file)
            seconds[key] += before["seconds"]
            for what in ("right", "unknown", "wrong"):
                count[key, what] += before[what]
    print(f"{len(names)} nets, {given.timeout:.0f} s each")
    for key in EXAMINATIONS:
        if seconds[key]:
            row = "  ".join(f"{what} {count[key, what]:5}" for what in ("right", "unknown", "wrong"))
            print(f"{key:5} {row}  {seconds[key] / len(names):6.1f} s a net")
    return 1 if any(n for (_, what), n in count.items() if what == "wrong") else 0


if __name__ == "__main__":
    sys.exit(main())
