"""Seconds to parse, resolve and compile about a megabyte of model text, in one process.

    python benchmarks/parse.py [--bytes N] [TEXT ...]

TEXT is `plain` (workflows of tasks), `mixed` (a bit of everything) or `saga` (steps with a retry and a time-out, the widest
nets that a line of text can ask for). The target is 4 s of processor time for the three stages (docs/adr/0002-the-parser.md).
"""

from __future__ import annotations

import argparse
import time

from placet.compile.resolve import resolve
from placet.compile.to_net import compile_model
from placet.pipeline import Uncollected
from placet.source import SourceFile
from placet.syntax.parser import parse
from placet.syntax.printer import render

LINES = 50  # tasks of a plain workflow, steps of a saga

MIXED = """
service flights{n} {{ idempotent; null_safe }}
service payments{n} {{ idempotent; null_safe; rejects_after_cancel }}

saga book_trip{n} {{
  step flight{n} on flights{n} {{ undo cancel_flight{n}; retry 3; timeout 10s }}
  parallel {{
    step hotel{n} on flights{n} {{ undo cancel_hotel{n} }}
    step car{n} on flights{n} {{ undo cancel_car{n} }}
  }}
  first of {{ receive approval; timer 24h -> abandon "nobody approved" }}
  step charge{n} on payments{n} {{
    pivot
    errors {{ RateLimited: retry 5 then reject; CardDeclined: reject; other: unknown }}
  }}
  step confirm{n} on payments{n} {{ retriable }}
  siblings await
}}

workflow purchase{n} {{
  receive order
  choice stock {{
    when "there is stock" {{
      call book_trip{n}
        on compensated {{ task apologise; end cancelled }}
        on failed {{ task call_a_person; end escalated }}
    }}
    otherwise {{ task reject; end rejected }}
  }}
  loop at_most 3 {{ task ask_for_rating }} until "there is a rating"   # a comment
  end delivered
}}

net mutex{n} {{
  place idle1 = 1, idle2 = 1, lock = 1, busy1, busy2
  transition enter1: idle1 + lock -> busy1
  transition leave1: busy1 -> idle1 + lock
}}

check sound(purchase{n}) "every order ends"
check never(charge{n}.done and purchase{n}.rejected) "a rejected order is never charged"
"""


def plain(n: int) -> str:
    """A workflow of tasks."""
    return f"workflow order{n} {{\n" + "".join(f"  task look_at_{n}_{k}\n" for k in range(LINES)) + "}\n"


def mixed(n: int) -> str:
    """A saga, a workflow that calls it, a net, and checks of them."""
    return MIXED.format(n=n)


def saga(n: int) -> str:
    """A saga of steps that are undone, tried again and timed out."""
    steps = [f"  step do_it_{n}_{k} on s{n} {{ undo take_back_{n}_{k}; retry 2; timeout 10s }}\n" for k in range(LINES)]
    return f"service s{n} {{ idempotent; null_safe }}\nsaga order{n} {{\n" + "".join(steps) + "}\n"


TEXTS = {"plain": plain, "mixed": mixed, "saga": saga}


def text_of(part, size: int) -> str:
    """Parts until they make up `size` characters."""
    made, length = [], 0
    while length < size:
        made.append(part(len(made)))
        length += len(made[-1])
    return "".join(made)


def timed(call):
    begun = time.process_time()
    result = call()
    return time.process_time() - begun, result


def measure(name: str, text: str) -> None:
    """One line of the table. Printing is no part of the target."""
    with Uncollected():
        parsing, (file, problems) = timed(lambda: parse(SourceFile("benchmark", text)))
        assert not problems, problems[:3]
        resolving, (model, problems) = timed(lambda: resolve(file))
        assert not [d for d in problems if d.severity == "error"], problems[:3]
        compiling, (compiled, _) = timed(lambda: compile_model(model))
        printing, _ = timed(lambda: render(file))
    places, transitions = (
        sum(len(side) for side in sides)
        for sides in zip(*((c.net.places, c.net.transitions) for c in compiled), strict=True)
    )
    seconds = (parsing, resolving, compiling, parsing + resolving + compiling, printing)
    print(f"{name:6} {len(text):>9} {places:>9} {transitions:>11}" + "".join(f"{s:>9.2f}" for s in seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bytes", type=int, default=1_000_000)
    parser.add_argument("texts", nargs="*", choices=[*TEXTS, []], metavar="TEXT")
    options = parser.parse_args()
    columns = ("parse", "resolve", "compile", "together", "print")
    print(f"{'text':6} {'bytes':>9} {'places':>9} {'transitions':>11}" + "".join(f"{c:>9}" for c in columns))
    for name in options.texts or TEXTS:
        measure(name, text_of(TEXTS[name], options.bytes))


if __name__ == "__main__":
    main()
