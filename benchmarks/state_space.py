"""Whole processes that enumerate the same state spaces: placet's engines, and other tools where they are installed.

    python benchmarks/state_space.py NET.pnml ... [--engines native frontier reference symbolic mcc] [--tools benchmarks/tools.toml]

A row for each net and tool: states, CPU seconds and peak memory of the whole process, its children included, and the ratio of
the CPU seconds to those of placet's first engine; `mcc` is the contest's examination StateSpace, of the folder of the net. At the end, on
how many of the nets that another tool counts placet's first engine counts too, within three times its seconds and one more. Every tool that tells a number of states must tell the same; one that does
not is named as WRONG. `tools.toml` holds the command lines of the others and how to read a number of states off what they
print; a tool that is not on the path is skipped, with a word.
"""

from __future__ import annotations

import argparse
import math
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent


class Measured(NamedTuple):
    """What one process told and used. `states` is "" where it told nothing in time."""

    states: str
    seconds: float
    megabytes: float


def run(command: list[str], pattern: str, timeout: float) -> Measured:
    """Run a command; the number of states that `pattern` finds in its output."""
    with tempfile.TemporaryFile("w+") as out:
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, start_new_session=True)
        resource.prlimit(child.pid, resource.RLIMIT_CPU, (math.ceil(timeout), math.ceil(timeout) + 1))
        _, status, used = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        found = re.search(pattern, out.read())
    return Measured(found[1].replace(",", "") if found else "", used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("nets", nargs="+")
    parser.add_argument("--engines", nargs="+", default=["native", "frontier"])
    parser.add_argument("--exe", default=str(Path(sys.executable).parent / "placet"))
    parser.add_argument("--tools", default=str(HERE / "tools.toml"))
    parser.add_argument("--timeout", type=float, default=120, help="CPU seconds")
    options = parser.parse_args()
    tools = tomllib.loads(Path(options.tools).read_text(encoding="utf-8"))
    explore = [options.exe, "explore", "--format", "json", "--budget-states", "100000000", "--budget-mb", "8000"]
    commands = {
        f"placet {e}": ([*explore, "--engine", e, "NET"], r'"states": "(\d+)"') for e in options.engines if e != "mcc"
    }
    if "mcc" in options.engines:
        examine = [options.exe, "mcc", "--examination", "StateSpace", "--timeout", str(4 * options.timeout), "FOLDER"]
        commands["placet mcc"] = (examine, r"STATE_SPACE STATES (\d+)")
    for name, tool in tools.items():
        if shutil.which(tool["command"][0]):
            commands[name] = (tool["command"], tool["states"])
        else:
            print(f"{name}: {tool['command'][0]} is not installed, skipped")
    wrong = 0
    ratios: dict[str, list[float]] = {name: [] for name in commands}
    kept: dict[str, list[bool]] = {name: [] for name in commands}
    print(f"{'net':28} {'tool':18} {'states':>12} {'CPU s':>8} {'MB':>7} {'ratio':>7}")
    for net in options.nets:
        path = Path(net)
        shown = path.parent.name if path.stem == "model" else path.stem
        first: Measured | None = None
        for name, (command, pattern) in commands.items():
            named = {"NET": str(path), "FOLDER": str(path.parent)}
            one = run([named.get(part, part) for part in command], pattern, options.timeout)
            first = first or one
            ratio = one.seconds / first.seconds
            verdict = ""
            if one.states and first.states and one.states != first.states:
                wrong += 1
                verdict = "  WRONG"
            if one.states:
                ratios[name].append(ratio)
                kept[name].append(bool(first.states) and first.seconds <= 3 * one.seconds + 1)
            print(
                f"{shown:28.28} {name:18} {one.states or '-':>12} {one.seconds:8.2f} {one.megabytes:7.0f} {ratio:7.2f}{verdict}",
                flush=True,
            )
    for name, found in ratios.items():
        if found:
            mean = math.exp(sum(map(math.log, found)) / len(found))
            near = sum(kept[name])
            print(f"{name}: {len(found)} nets, geometric mean {mean:.2f} times the CPU seconds of the first", end="")
            print(f"; on {near} of them the first is within three times and 1 s")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
