"""Soundness of the same PNML files, whole process, side by side with a peer, in ratios.

    python benchmarks/peers.py --peer PYTHON FILE.pnml ...

PYTHON is the interpreter of a throw-away environment with pm4py in it (`python -m venv /tmp/peer && /tmp/peer/bin/pip install
pm4py`); pm4py is AGPL and never a dependency. Both tools get one process for each file, and the same file: as placet writes
it, since pm4py takes a net that lies on no page for an empty one. Files should be workflow nets.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from placet.analysis.strategy import decide
from placet.compiled import Query
from placet.formats.pnml import read, write
from placet.pipeline import load
from placet.source import SourceFile

WOFLAN = """
import sys
from time import perf_counter
from pm4py.objects.petri_net.importer import importer
from pm4py.algo.analysis.woflan import algorithm
net, initial, final = importer.apply(sys.argv[1])
if not final:
    from pm4py.objects.petri_net.obj import Marking
    final = Marking({p: 1 for p in net.places if not p.out_arcs})
p = algorithm.Parameters
begun = perf_counter()
answer = algorithm.apply(net, initial, final, parameters={p.RETURN_ASAP_WHEN_NOT_SOUND: True, p.PRINT_DIAGNOSTICS: False})
print(perf_counter() - begun, "sound" if answer else "unsound")
"""

VERDICTS = {0: "sound", 1: "unsound", 3: "undecided"}


def timed(command: list[str], timeout: float) -> tuple[float, int, list[str]]:
    """Seconds, exit status, and the words that were printed."""
    begun = time.perf_counter()
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    except subprocess.TimeoutExpired:
        return timeout, -1, [str(timeout), "timeout"]
    return time.perf_counter() - begun, done.returncode, done.stdout.split() or ["nan", "none"]


def rewritten(file: str, folder: str) -> str:
    """The path of the same net on a page, with its final marking."""
    compiled, problems = read(SourceFile(file, Path(file).read_text(encoding="utf-8")))
    if compiled is None:
        raise SystemExit(f"{file}: {problems[0].message}")
    path = Path(folder) / Path(file).name
    path.write_text(write(compiled), encoding="utf-8")
    return str(path)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", required=True)
    parser.add_argument("--exe", default=str(Path(sys.executable).parent / "placet"))
    parser.add_argument("--timeout", type=float, default=120)
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()
    ratios = []
    with tempfile.TemporaryDirectory() as folder:
        for file in [rewritten(file, folder) for file in options.files]:
            ratios.append(compared(file, options))
    whole, inside = (statistics.median(column) for column in zip(*ratios, strict=True))
    print(f"{len(ratios)} files, median ratios: whole process {whole:.3f}, deciding alone {inside:.3f}")
    return 0


def compared(file: str, options: argparse.Namespace) -> tuple[float, float]:
    """A line of the table; gives the ratios of whole processes, and of deciding what is loaded already."""
    ours, status, _ = timed([options.exe, "verify", file, "--check", "sound", "--format", "concise"], options.timeout)
    theirs, _, (*_, alone, answer) = timed([options.peer, "-c", WOFLAN, file], options.timeout)
    (compiled,) = load(file).compiled
    begun = time.perf_counter()
    decide(compiled, (Query("sound", "sound"),))
    inside = (time.perf_counter() - begun) / float(alone)
    verdict = VERDICTS.get(status, f"exit {status}")
    note = "" if verdict == answer else "   <- they differ"
    print(
        f"{Path(file).name:40} placet {ours:6.2f} s {verdict:9}  peer {theirs:6.2f} s {answer:9}"
        f"  ratio {ours / theirs:5.3f}, deciding alone {inside:5.3f}{note}"
    )
    return ours / theirs, inside


if __name__ == "__main__":
    sys.exit(main())
