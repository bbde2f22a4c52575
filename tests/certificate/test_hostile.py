"""Files that are no certificates, or made to harm: the line that is wrong is named, exit 2, in little time and memory."""

from __future__ import annotations

import json
import zlib
from base64 import b64encode

import pytest

from placet.certificate.form import CELLS
from placet.cli.__main__ import main

MODEL = """\
net order {
  place start = 1, done
  transition go: start -> done
}
check bounded(order)
check ctl of order AF done
check ltl of order F done
"""


def packed(count):
    return b64encode(zlib.compress(bytes(count), 9)).decode()


SET = {"set": 0, "states": 2, "width": 2, "bytes": 1, "lines": 1}
FILES = {  # lines in the place of the second one -> the line that is named
    "no number": ([{**SET, "set": "x"}], 2),
    "another number": ([{**SET, "set": 3}], 2),
    "more than is there": ([{**SET, "states": 10**15}], 2),
    "many rows of nothing": ([{**SET, "states": CELLS, "width": 0}], 2),
    "a size that there is not": ([{**SET, "bytes": 3}, {"rows": packed(12)}], 3),
    "a size below zero": ([{**SET, "bytes": -1}], 2),
    "more than it unpacks to": ([SET, {"rows": packed(3)}], 3),
    "a bomb": ([SET, {"rows": packed(50_000_000)}], 3),
    "no base64": ([SET, {"rows": "!!!"}], 3),
    "no text": ([SET, {"rows": [1, 2]}], 3),
    "lines without end": ([{**SET, "lines": 10**12}], None),
    "a diagram that needs itself": ([{"diagram": 0, "levels": [[0]], "local": [[[0]]], "root": 2, "lines": 1}, {"nodes": [["x"]]}], 3),
    "levels as text": ([{"diagram": 0, "levels": "ab", "local": [], "root": 0, "lines": 0}], 2),
    "a run of fractions": ([{"run": 0, "steps": [0.5]}], 2),
    "a run of truths": ([{"run": 0, "steps": [True]}], 2),
    "a run as a number": ([{"run": 0, "steps": 7}], 2),
    "a check without a verdict": ([{"check": "bounded", "label": "b", "subject": "order", "query": 0}], 2),
    "another verdict": ([{"check": "bounded", "label": "b", "subject": "order", "query": 0, "verdict": "yes"}], 2),
    "a check at -1": ([{"check": "bounded", "label": "b", "subject": "order", "query": -1, "verdict": "proved"}], 2),
}  # fmt: skip


@pytest.fixture
def order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "order.placet").write_text(MODEL)
    assert main(["verify", "-q", "order.placet", "--certificate", "order.cert"]) == 0
    return tmp_path / "order.cert"


@pytest.mark.parametrize("name", FILES)
def test_the_line_is_named(name, order, capsys):
    put, line = FILES[name]
    text = order.read_text().splitlines()
    order.write_text("\n".join([text[0], *map(json.dumps, put), *text[1:]]) + "\n")
    assert main(["recheck", "order.placet", "order.cert"]) == 2
    said = capsys.readouterr().err
    assert "`order.cert` cannot be used: " in said
    assert line is None or f"line {line}" in said


@pytest.mark.parametrize(
    "deep", [b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe", b"\0" * 100, b'"' + b"x" * (9 << 20) + b'"']
)
def test_what_is_not_json(deep, order, capsys):
    order.write_bytes(order.read_bytes().split(b"\n")[0] + b"\n" + deep + b"\n")
    assert main(["recheck", "order.placet", "order.cert"]) == 2
    assert "line 2" in capsys.readouterr().err


EVIDENCE = (
    *({}, {"set": -1}, {"set": 10**9}, {"set": "0"}, {"set": None}, {"set": [0]}, {"set": True}, {"diagram": 0}, {"run": 0}),
    *({"weights": {}}, {"weights": [[0, 10**30]]}, {"weights": [["a", "b"]]}, {"least": [[[0, 1]]] * 3}, {"least": 1}),
    *({"run": 0, "steps": 1, "loop": 0, "obligation": 0}, {"obligation": 10**9, "set": 10**9}, [], 7, None, "set"),
)  # fmt: skip


@pytest.mark.parametrize("verdict", ["proved", "violated"])
def test_evidence_of_the_wrong_kind_is_refused(verdict, order, capsys):
    text = order.read_text().splitlines()
    for shown in EVIDENCE:
        changed = []
        for line in map(json.loads, text):
            if "check" in line:
                line.update(evidence=[shown], verdict=verdict)
            changed.append(json.dumps(line))
        order.write_text("\n".join(changed) + "\n")
        assert main(["recheck", "order.placet", "order.cert"]) == 1
        assert "accepted   " not in capsys.readouterr().out


def test_a_run_that_is_named_again_and_again_is_fired_only_so_often(order, monkeypatch):
    """A short file could keep the checker at work for days."""
    from placet.certificate import recheck
    from placet.certificate.form import read
    from placet.certificate.recheck import Checker, RefusedError
    from placet.cli.certifying import options_of, questions_of
    from placet.pipeline import load

    monkeypatch.setattr(recheck, "_FIRINGS", 10)
    monkeypatch.chdir(order.parent)
    (order.parent / "order.placet").write_text(
        MODEL.split("check ", maxsplit=1)[0] + "check possible(order.done >= 1)\n"
    )
    assert main(["verify", "-q", "order.placet", "--certificate", "order.cert"]) == 0
    certificate = read("order.cert")
    (entry,) = certificate.entries
    ((_, asked),) = questions_of(load("order.placet", options_of(certificate)), options_of(certificate)).items()
    checker = Checker(certificate)
    for _ in range(10):
        checker.check(asked.meaning(), entry)
    with pytest.raises(RefusedError, match="longer, all together"):
        checker.check(asked.meaning(), entry)
