"""Time to parse, print and compile about a megabyte of model text: `python benchmarks/parse.py [--bytes N]`.

The target is 4 s for parsing and compiling 1 MB on the development machine (docs/adr/0002-the-parser.md).
"""

from __future__ import annotations

import argparse
import time

from placet.source import SourceFile
from placet.syntax.parser import parse
from placet.syntax.printer import render

PART = """
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


def timed(what: str, call):
    start = time.perf_counter()
    result = call()
    print(f"{what:10} {time.perf_counter() - start:6.2f} s")
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bytes", type=int, default=1_000_000)
    size = parser.parse_args().bytes
    count = size // len(PART.format(n=100)) + 1
    text = "".join(PART.format(n=n) for n in range(count))[:]
    print(f"{len(text)} characters, {text.count(chr(10))} lines")
    file, diagnostics = timed("parse", lambda: parse(SourceFile("benchmark", text)))
    assert not diagnostics, diagnostics[:3]
    model, diagnostics = timed("resolve", lambda: _resolve(file))
    assert not [d for d in diagnostics if d.severity == "error"], diagnostics[:3]
    timed("compile", lambda: _compile(model))
    timed("print", lambda: render(file))


def _resolve(file):
    from placet.compile.resolve import resolve

    return resolve(file)


def _compile(model):
    from placet.compile.to_net import compile_model

    return compile_model(model)


if __name__ == "__main__":
    main()
