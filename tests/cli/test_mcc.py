"""What `placet mcc` still says when its time is over, in processes of their own."""

from __future__ import annotations

import subprocess
import sys

NET = """<pnml><net id="n">%s</net></pnml>"""
CODE = """
import sys, time
from placet.analysis.contest import examination
def slow(name, context, formulas, bounds):
    context.tell("a", "TRUE")
    %s
examination.examine = slow
from placet.cli.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def run(tmp_path, then, timeout):
    (tmp_path / "model.pnml").write_text(NET % '<place id="p"/><transition id="t"/>')
    one = "<property><id>%s</id><formula><is-fireable><transition>t</transition></is-fireable></formula></property>"
    (tmp_path / "CTLFireability.xml").write_text(f"<property-set>{one % 'a'}{one % 'b'}</property-set>")
    words = ["mcc", "--examination", "CTLFireability", "--timeout", str(timeout), str(tmp_path)]
    return subprocess.run(
        [sys.executable, "-c", CODE % then, *words], capture_output=True, text=True, timeout=60, check=False
    )


def test_what_is_known_stays_said_and_the_rest_is_owned_up_to(tmp_path):
    done = run(tmp_path, "time.sleep(50)", 0.5)
    assert [line.split()[:3] for line in done.stdout.splitlines()] == [
        ["FORMULA", "a", "TRUE"],
        ["FORMULA", "b", "CANNOT_COMPUTE"],
    ]
    assert done.returncode == 3


def test_a_killed_process_has_said_what_it_knew(tmp_path):
    done = run(tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)", 20)
    assert done.stdout.split()[:3] == ["FORMULA", "a", "TRUE"]
    assert done.returncode != 0


def test_memory_that_gives_out_loses_nothing(tmp_path):
    done = run(tmp_path, "raise MemoryError", 20)
    assert [line.split()[2] for line in done.stdout.splitlines()] == ["TRUE", "CANNOT_COMPUTE"]
    assert "the memory is used up" in done.stderr
    assert "Traceback" not in done.stderr
