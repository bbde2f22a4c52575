"""Damaged files of every format that is read: no traceback, no hang, every diagnostic at a place in its file.

    python benchmarks/fuzz.py [--cases N] [--seed N] [--seconds S] [--corpora FOLDER] [--only KIND,...] [--keep FOLDER]

Takes the shipped models, nets in PNML, definitions and recorded runs, changes each with its structure in mind (a branch dropped, doubled,
moved elsewhere, a number made huge, a name made another one, a bracket lost, the text cut, bytes that are no letters) and reads
and checks it within a budget, in a process of its own that is stopped when it takes too long. Prints for each kind how many were
read, refused, hung or brought the tool down, the slowest and the largest; exits with 1 where one was brought down or hung.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import multiprocessing
import os
import random
import re
import resource
import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path
from time import monotonic, process_time, sleep
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent.parent
BESIDE = HERE.parent / "shared" / "corpora"
HUGE = ("0", "-1", "1000000000", "10000000000", "1" * 400, "1e400", "0x1F", "1.5", '"x"', "null", "true", "[]", "{}")
ODD = (
    "\0",
    "\ufeff",
    "\ud800",
    "\u2028",
    "\t",
    "\r",
    "\x1b[31m",
    "{",
    "}",
    "[",
    "]",
    '"',
    "'",
    "<",
    ">",
    "&",
    "/",
    "*",
    "#",
    "%",
    "$",
    "é",
    "😀",
)
ODD_NAMES = ("x", "", "-1", "1000000000", "é", "a b")
MEMORY = 2 << 30

# -- changes ---------------------------------------------------------------------------------------------------------


def letters(text: str, draw: random.Random) -> str:
    """A few letters changed, lost or doubled; or the text cut."""
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(text) + 1)
        to = min(len(text), at + draw.choice((0, 1, 1, 5, 50)))
        text = draw.choice((
            text[:at] + draw.choice(ODD) + text[to:],
            text[:at] + text[to:],
            text[:to] + text[at:],
            text[:at],
            text[:at] + draw.choice(ODD) * draw.choice((10, 1000, 30_000)) + text[to:],
        ))  # fmt: skip
    return text


WORDS = re.compile(r"[\w.-]+|\"[^\"\n]*\"|[^\w\s]")


def words(text: str, draw: random.Random) -> str:
    """Words and brackets exchanged, doubled, lost; numbers made huge."""
    found = [m.span() for m in WORDS.finditer(text)]
    if not found:
        return letters(text, draw)
    for _ in range(draw.randint(1, 3)):
        (a, b), (c, d) = sorted((draw.choice(found), draw.choice(found)))
        word = text[a:b]
        if word.isdigit():
            text = text[:a] + draw.choice(HUGE) + text[b:]
        elif b <= c:
            text = draw.choice((
                text[:a] + text[c:d] + text[b:c] + word + text[d:],
                text[:a] + text[c:d] + text[b:],
                text[:b] + text[d:],
                text[:d] + text[a:d] + text[d:],
                text[:a] + text[b:],
            ))  # fmt: skip
        found = [m.span() for m in WORDS.finditer(text)] or [(0, 0)]
    return text


def every(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all parts of a value."""
    found = [path]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += every(inner, (*path, key))
    return found


def part(value: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        value = value[key]
    return value


def tree(text: str, draw: random.Random) -> str:
    """JSON with parts dropped, doubled, moved, renamed, or put into themselves many times."""
    try:
        value = json.loads(text)
    except ValueError:
        return words(text, draw)
    for _ in range(draw.randint(1, 3)):
        paths = every(value)[1:]
        if not paths:
            break
        path, other = draw.choice(paths), draw.choice(paths)
        owner, key = part(value, path[:-1]), path[-1]
        how = draw.randrange(8)
        if how == 0:
            del owner[key]
        elif how == 1:
            owner[key] = json.loads(json.dumps(part(value, other)))
        elif how == 2 and isinstance(owner, dict):
            owner[draw.choice(("Next", "End", "Type", "", "States", "StartAt", key + "x"))] = owner[key]
        elif how == 3:
            owner[key] = draw.choice(
                (None, True, -1, 10**9, 1.5, "", "x", [], {}, "${x}", "{% $a %}", "States.ALL", [{}])
            )
        elif how == 4 and isinstance(owner, list):
            owner.extend(owner[:1] * draw.choice((1, 30, 300)))
        elif how == 5:
            inner = owner[key]
            for _ in range(draw.choice((2, 30, 250))):
                inner = {"And": [inner]} if draw.random() < 0.3 else [inner]
            owner[key] = inner
        elif how == 6 and isinstance(owner, dict):
            for n in range(draw.choice((3, 50))):
                owner[f"{key}{n}"] = owner[key]
        elif isinstance(owner[key], str):
            owner[key] = draw.choice(
                (part(value, other) if isinstance(part(value, other), str) else "y", letters(owner[key], draw))
            )
    written = json.dumps(value, indent=draw.choice((None, 1)), ensure_ascii=draw.random() < 0.5)
    return words(written, draw) if draw.random() < 0.1 else written


TAG = re.compile(r"<[^>]*>")


def tags(text: str, draw: random.Random) -> str:
    """XML with elements dropped, doubled or moved, and attributes that name others."""
    found = [m.span() for m in TAG.finditer(text)]
    if len(found) < 2:
        return words(text, draw)
    for _ in range(draw.randint(1, 3)):
        (a, b), (c, d) = sorted(draw.sample(found, 2))
        text = draw.choice((
            text[:a] + text[c:d] + text[a:],
            text[:a] + text[b:],
            text[:d] + text[a:d] + text[d:],
            text[:b] + text[a:b] * draw.choice((10, 300)) + text[b:],
            text[:a] + re.sub(r'"[^"]*"', f'"{draw.choice(ODD_NAMES)}"', text[a:d], count=1) + text[d:],
            re.sub(r">\d+<", f">{draw.choice(HUGE[:6])}<", text, count=draw.randint(1, 3)),
        ))  # fmt: skip
        found = [m.span() for m in TAG.finditer(text)]
        if len(found) < 2:
            break
    return text


def damaged(text: str, suffix: str, draw: random.Random) -> bytes:
    """A file in a way in which files get broken."""
    ways = {".json": (tree, tree, words, letters), ".pnml": (tags, tags, words, letters)}
    made = draw.choice(ways.get(suffix, (words, words, letters)))(text, draw)
    kind = draw.random()
    if kind < 0.02:
        return made.encode("utf-16", "surrogatepass")
    found = made.encode("utf-8", "surrogatepass")
    if kind < 0.05 and found:
        at = draw.randrange(len(found))
        return found[:at] + bytes(draw.randrange(256) for _ in range(3)) + found[at:]
    if kind < 0.08:
        return b"\xef\xbb\xbf" + found.replace(b"\n", b"\r\n")
    return found


# -- one case --------------------------------------------------------------------------------------------------------


def judged(path: str, kind: str, model: str) -> str:
    """What becomes of a file: read, refused, or what was wrong. In the words of the command line, exit status and all."""
    from placet.cli.__main__ import main as command

    told, complaints = io.StringIO(), io.StringIO()
    budget = ("--budget-states", "3000", "--budget-seconds", "5", "--format", "json")
    given = ["conform", model, path, "--format", "json"] if kind == "log" else ["verify", path, *budget]
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(complaints):
        status = command([*given, "--debug"])
    if status not in (0, 1, 2, 3):
        return f"exit status {status}: {complaints.getvalue()[-1200:]}"
    found = json.loads(told.getvalue()) if told.getvalue() else {}
    size = len(Path(path).read_bytes().decode("utf-8", "replace").splitlines()) + 1
    for one in [d for model in found.get("models", ()) for d in model["diagnostics"]]:
        if not re.fullmatch(r"P\d{3}", one["code"]) or not one["message"]:
            return f"a diagnostic without code or message: {one}"
        if one["span"] and not 1 <= one["span"]["start"]["line"] <= size:
            return f"a diagnostic outside of its file: {one}"
    if status == 2 and not told.getvalue() and not complaints.getvalue():
        return "refused without a word"
    return "refused" if status == 2 else "read"


def worker(tasks: Any, answers: Any) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    while True:
        task = tasks.get()
        if task is None:
            return
        path, kind, model = task
        begun = process_time()
        try:
            word = judged(path, kind, model)
        except BaseException:  # noqa: BLE001 # that is what is looked for
            word = "traceback: " + traceback.format_exc()[-1500:]
        answers.put((word, process_time() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))


class Judge:
    """A process that judges one file after the other, and is replaced when it does not answer.

    Time is that of the processor, since others may use the machine too; by the clock a file has thirty times as much.
    """

    def __init__(self, patience: float) -> None:
        self.patience = patience
        self.begin()

    def begin(self) -> None:
        self.tasks, self.answers = multiprocessing.SimpleQueue(), multiprocessing.SimpleQueue()
        self.process = multiprocessing.Process(target=worker, args=(self.tasks, self.answers), daemon=True)
        self.process.start()

    def of(self, path: str, kind: str, model: str) -> tuple[str, float, int]:
        self.tasks.put((path, kind, model))
        begun, until = self.used(), monotonic() + 30 * self.patience
        while self.answers.empty():
            if self.process.is_alive() and self.used() - begun < self.patience and monotonic() < until:
                sleep(0.002)
                continue
            alive, used = self.process.is_alive(), self.used() - begun
            self.process.kill()
            self.process.join()
            self.begin()
            return ("hang" if alive else "died"), used, 0
        return self.answers.get()

    def used(self) -> float:
        """Seconds of the processor that the process has used so far."""
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            return 0.0
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Seed(NamedTuple):
    """What is damaged; a recorded run with the model that it is held against."""

    kind: str
    suffix: str
    text: str
    model: str = ""


def seeds(corpora: Path) -> list[Seed]:
    """All that is damaged."""
    found: list[Seed] = []

    def add(kind: str, paths: Any, suffix: str, most: int, model: str = "") -> None:
        small = sorted((p for p in paths if p.is_file() and p.stat().st_size < 40_000), key=str)
        found.extend(
            Seed(kind, suffix, p.read_text(encoding="utf-8", errors="replace"), model)
            for p in small[:: max(1, len(small) // most)]
        )

    add("placet", HERE.glob("models/**/*.placet"), ".placet", 60)
    add(
        "pnml",
        [*HERE.glob("models/**/*.pnml"), *corpora.glob("ibm/*/*.pnml"), *corpora.glob("mcc/*/model.pnml")],
        ".pnml",
        30,
    )
    add("asl", [p for p in corpora.glob("asl/*/*.json") if "histories" not in p.parts], ".json", 60)
    add("yaml", [*corpora.glob("asl/*/*.y*ml"), *corpora.glob("samples/aws-stepfunctions/*.yaml")], ".yaml", 20)
    workflow = "workflow w { task a fails X; parallel { task b } and { task c } }"
    add("log", corpora.glob("samples/temporal-history/*.json"), ".json", 10, workflow)
    for path in sorted(corpora.glob("asl/histories/*.json"))[::40]:
        recorded = json.loads(path.read_text(encoding="utf-8"))
        found.append(
            Seed("log", ".json", json.dumps({"events": recorded["events"]}), json.dumps(recorded["definition"]))
        )
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=20.0, help="of the processor that one file may take")
    parser.add_argument("--corpora", type=Path, default=Path(os.environ.get("PLACET_CORPORA", BESIDE)))
    parser.add_argument("--only", default="", help="kinds, with commas: placet, pnml, asl, yaml, log")
    parser.add_argument("--keep", type=Path, help="where to keep the files that brought the tool down")
    given = parser.parse_args()
    chosen = [s for s in seeds(given.corpora) if not given.only or s.kind in given.only.split(",")]
    kinds = sorted({s.kind for s in chosen})
    by = {kind: [s for s in chosen if s.kind == kind] for kind in kinds}
    tally: Counter[tuple[str, str]] = Counter()
    slowest: dict[str, tuple[float, str]] = dict.fromkeys(kinds, (0.0, ""))
    largest = 0
    judge = Judge(given.seconds)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(given.cases):
            draw = random.Random(f"{given.seed} {number}")
            kind, suffix, text, model = draw.choice(by[kinds[number % len(kinds)]])
            path = Path(folder, f"case{suffix if kind != 'asl' else '.asl.json'}")
            path.write_bytes(damaged(text, suffix, draw))
            beside = Path(folder, "model.asl.json" if model.startswith("{") else "model.placet")
            beside.write_text(model, encoding="utf-8")
            word, seconds, memory = judge.of(str(path), kind, str(beside))
            if seconds > given.seconds and word in ("read", "refused"):
                word = "hang"
            short = word if word in ("read", "refused", "hang", "died") else "brought down"
            tally[kind, short] += 1
            largest = max(largest, memory)
            if seconds > slowest[kind][0]:
                slowest[kind] = seconds, f"case {number}"
            if short not in ("read", "refused"):
                print(f"{kind} case {number} (seed {given.seed}): {word}", flush=True)
                if given.keep:
                    given.keep.mkdir(parents=True, exist_ok=True)
                    (given.keep / f"{number}{path.suffix}").write_bytes(path.read_bytes())
    for kind in kinds:
        row = {short: n for (k, short), n in sorted(tally.items()) if k == kind}
        print(f"{kind}: {sum(row.values())} files, {row}, slowest {slowest[kind][0]:.1f} s ({slowest[kind][1]})")
    bad = sum(n for (_, short), n in tally.items() if short not in ("read", "refused"))
    print(f"{given.cases} files, {bad} brought the tool down or hung, at most {largest >> 10} MB")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
