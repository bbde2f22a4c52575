"""Real definitions read in one process: how many are read whole, with a loss, or refused and why, and how long it takes.

    python benchmarks/imports.py [FOLDER...] [--corpora FOLDER] [--verify] [--list]

One line for each source (a folder of the corpora, by default those of formats that are read). A definition is whole where no
diagnostic says that something was left out, and each of its flow nodes is the origin of a transition. With `--verify` the
standard checks are answered as well. Exits with 1 where a median is 100 ms or more, or less than 97 % are whole.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
from collections import Counter, defaultdict
from pathlib import Path
from time import perf_counter

from placet.pipeline import check, compile_source
from placet.project.reading import read

BESIDE = Path(__file__).resolve().parent.parent.parent / "shared" / "corpora"
SUFFIXES = (".json", ".json5", ".yaml", ".yml", ".asl")
LOSSES = frozenset(("P516", "P518", "P535"))  # something was left out, or is elsewhere
ENOUGH, MEDIAN = 0.97, 0.1


def nodes(source) -> set[str]:
    """The ids of all states of a file, from its definitions alone."""
    from placet.formats.asl import documents
    from placet.formats.asl.machine import every
    from placet.formats.asl.schema import Reader
    from placet.formats.data_tree import Limits

    found = set()
    for definition in documents.read(source).definitions:
        machine = Reader(definition, Limits(source)).machine()
        found |= {state.name for state, _ in every(machine)} if machine is not None else set()
    return found


def judged(path: Path, *, verify: bool) -> tuple[str, str, float, Counter[str]]:
    """What becomes of a file: the source's word, the reason, the seconds, the outcomes of its checks."""
    source, problems = read(str(path))
    if source is None:
        return "refused", problems[0].code, 0.0, Counter()
    start = perf_counter()
    loaded = compile_source(source)
    outcomes: Counter[str] = Counter()
    if verify and not loaded.broken:
        outcomes.update(entry.outcome for model in check(loaded).models for entry in model.checks)
    seconds = perf_counter() - start
    errors = [d for d in loaded.diagnostics if d.severity == "error"]
    if errors:
        return "refused", errors[0].code, seconds, outcomes
    lost = next((d.code for d in loaded.diagnostics if d.code in LOSSES), "")
    told = {o.event.element for c in loaded.compiled for o in c.origin.transitions if o.event is not None}
    if not lost and not nodes(source) <= told:
        lost = "a state without a transition"
    return ("loss" if lost else "whole"), lost, seconds, outcomes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--corpora", type=Path, default=Path(os.environ.get("PLACET_CORPORA", BESIDE)))
    parser.add_argument("--verify", action="store_true")
    parser.add_argument("--list", action="store_true", help="name every file that is not whole")
    chosen = parser.parse_args()
    roots = chosen.folders or [chosen.corpora / "asl", chosen.corpora / "samples" / "aws-stepfunctions"]
    sources: dict[str, list[Path]] = defaultdict(list)
    for root in roots:
        for path in sorted(p for p in root.rglob("*") if p.suffix in SUFFIXES):
            sources["/".join(path.relative_to(root.parent).parts[:-1])].append(path)
    if not sources:
        print("the corpora are not here: give --corpora or set PLACET_CORPORA")
        return 0
    judged(next(iter(sources.values()))[0], verify=chosen.verify)  # imports what is needed
    good = True
    for name, paths in sources.items():
        found = [(path, *judged(path, verify=chosen.verify)) for path in paths]
        words = Counter(word for _, word, _, _, _ in found)
        reasons = Counter(reason for _, word, reason, _, _ in found if word != "whole")
        seconds = [s for _, _, _, s, _ in found]
        outcomes = sum((o for *_, o in found), Counter())
        median, worst = statistics.median(seconds), max(found, key=lambda f: f[3])
        print(
            f"{name}: {len(found)} files, {words['whole']} whole, {words['loss']} with loss, {words['refused']} refused"
            + (f" ({', '.join(f'{n} {r}' for r, n in reasons.most_common())})" if reasons else "")
            + f"; median {median * 1e3:.1f} ms, worst {worst[3] * 1e3:.0f} ms ({worst[0].name})"
            + (f"; {', '.join(f'{n} {o}' for o, n in outcomes.most_common())}" if outcomes else "")
        )
        if chosen.list:
            for path, word, reason, _, _ in found:
                if word != "whole":
                    print(f"  {word} {reason} {path}")
        good = good and median < MEDIAN
    every = sum(map(len, sources.values()))
    whole = sum(judged(path, verify=False)[0] == "whole" for paths in sources.values() for path in paths)
    print(f"{whole} of {every} whole: {whole / every:.1%}")
    return 0 if good and whole >= ENOUGH * every else 1


if __name__ == "__main__":
    sys.exit(main())
