"""The file of a certificate: lines of JSON, `placet.certificate/1`; `docs/certificates.md` describes them.

The first line names the model's options, the last one counts the checks, so that a file that was cut off shows. Reading is
bounded: by the length of a line, by what is announced before it is unpacked, and by the sum of it all.
"""

from __future__ import annotations

from array import array
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from placet.certificate.meaning import Question
    from placet.certificate.measured import Owed
    from placet.evidence import Trace

SCHEMA = "placet.certificate/1"
LINE = 8 << 20  # bytes of a line
CELLS = 100_000_000  # numbers in all sets of a file
_ROW = 8  # numbers that a row counts for beyond its own: what a tuple takes
NODES = 5_000_000  # nodes and children of all diagrams of a file
FIRINGS = 20_000_000  # of all runs of a file
SAID = 256 << 20  # bytes of all lines about checks
_CHUNK = 1 << 20  # packed bytes of a line
_TYPES = {1: "B", 2: "H", 4: "I", 8: "Q"}


class FormError(Exception):
    """The file is no certificate, or not one of this version: where and why."""


class States(NamedTuple):
    """A set of states, each a row of `width` numbers; observers that go below zero are shifted by 128."""

    width: int
    rows: tuple[tuple[int, ...], ...]


class Layers(NamedTuple):
    """A set of states as a decision diagram.

    `levels` are the slots (places, then observers) of each level, lowest first, and `local` the local states of each. A node is a tuple of
    nodes of the level below, one for each local state, 0 where there is none; 0 and 1 are the empty set and the end.
    """

    levels: tuple[tuple[int, ...], ...]
    local: tuple[tuple[tuple[int, ...], ...], ...]
    nodes: tuple[tuple[int, ...], ...]  # number 2 + position; children have smaller numbers
    root: int


class Entry(NamedTuple):
    """What is said of one check: its verdict, and the evidence or why there is none."""

    check: str
    label: str
    subject: str
    query: int  # its position among the checks of the subject
    verdict: str
    question: str = ""  # the digest of what was asked of which net
    evidence: tuple[Any, ...] = ()
    none: str = ""


class Certificate(NamedTuple):
    """All of a file."""

    options: dict[str, Any]
    entries: tuple[Entry, ...] = ()
    sets: tuple[States, ...] = ()
    diagrams: tuple[Layers, ...] = ()
    runs: tuple[Trace, ...] = ()


def digest(question: Question | Owed) -> str:
    """A name for the net, its start, and what is asked: equal names, equal questions."""
    import hashlib
    import json

    compiled = question.compiled
    net = compiled.net
    kinds = [role.kind.value for role in compiled.roles.transitions]
    arcs = (net.pre, net.post, net.read, net.inhibit, net.reset, net.capacity)
    observers = [(o.deltas, o.low, o.high, o.initial) for o in compiled.observers]
    whole = (net.places, net.transitions, arcs, compiled.initial, kinds, observers, _plain(question.obligations))
    return hashlib.sha256(json.dumps(whole, separators=(",", ":")).encode()).hexdigest()


def _plain(value: Any) -> Any:  # noqa: ANN401 - any predicate
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [type(value).__name__, *map(_plain, value)]
    if is_dataclass(value):  # a formula
        return [type(value).__name__, *(_plain(getattr(value, field.name)) for field in fields(value))]
    return value


# -- writing ---------------------------------------------------------------------------------------------------------


def lines(certificate: Certificate) -> Iterator[str]:
    """The lines of the file, each with its end."""
    import json

    def line(**fields: Any) -> str:  # noqa: ANN401 - values that JSON knows
        return json.dumps(fields, separators=(",", ":")) + "\n"

    yield line(schema=SCHEMA, options=certificate.options)
    for n, states in enumerate(certificate.sets):
        size, packed = _packed(states)
        pieces = [packed[at : at + _CHUNK] for at in range(0, len(packed), _CHUNK)]
        yield line(set=n, states=len(states.rows), width=states.width, bytes=size, lines=len(pieces))
        for piece in pieces:
            yield line(rows=piece)
    for n, layers in enumerate(certificate.diagrams):
        count = range(0, len(layers.nodes), 2000)
        yield line(diagram=n, levels=layers.levels, local=layers.local, root=layers.root, lines=len(count))
        for at in count:
            yield line(nodes=layers.nodes[at : at + 2000])
    for n, run in enumerate(certificate.runs):
        yield line(run=n, steps=run)
    for entry in certificate.entries:
        told = {"evidence": entry.evidence, "question": entry.question} if not entry.none else {"none": entry.none}
        head = {"check": entry.check, "label": entry.label, "subject": entry.subject, "query": entry.query}
        yield line(**head, verdict=entry.verdict, **told)
    yield line(end=True, checks=len(certificate.entries))


def _packed(states: States) -> tuple[int, str]:
    from base64 import b64encode
    from zlib import compress

    most = max((max(row, default=0) for row in states.rows), default=0)
    size = next(size for size in _TYPES if most >> 8 * size == 0)
    flat = array(_TYPES[size])
    for row in states.rows:
        flat.extend(row)
    return size, b64encode(compress(flat.tobytes(), 6)).decode()


# -- reading ---------------------------------------------------------------------------------------------------------


def read(path: str) -> Certificate:
    """The certificate in a file. Raises FormError, and OSError where it cannot be read."""
    with open(path, "rb") as file:  # noqa: PTH123
        return _Reading(file).certificate()


class _Reading:
    def __init__(self, file: Any) -> None:  # noqa: ANN401 - a binary file
        self._number = self._bytes = 0  # of the line that was read last
        self._source = self._documents(file)
        self._sets: list[States] = []
        self._diagrams: list[Layers] = []
        self._runs: list[Trace] = []
        self._entries: list[Entry] = []
        self._room = {"cells": CELLS, "nodes": NODES, "firings": FIRINGS, "bytes about checks": SAID}

    def _documents(self, file: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - a binary file
        import json

        while raw := file.readline(LINE + 1):
            self._number += 1
            self._bytes = len(raw)
            if len(raw) > LINE:
                raise FormError(f"line {self._number} is longer than {LINE} bytes")
            try:
                found = json.loads(raw)
            except (ValueError, RecursionError):
                what = "it is no certificate" if self._number == 1 else "it was cut off, or changed"
                raise FormError(f"{what}: line {self._number} is not JSON") from None
            if not isinstance(found, dict):
                raise FormError(f"line {self._number} is no object")
            yield found

    def certificate(self) -> Certificate:
        first = next(self._source, {})
        if first.get("schema") != SCHEMA:
            raise FormError(f"its first line does not say `{SCHEMA}`")
        options = first.get("options")
        if not isinstance(options, dict):
            raise FormError("its first line names no options")
        for line in self._source:
            if line.get("end") is True:
                if line.get("checks") != len(self._entries) or next(self._source, None) is not None:
                    raise FormError("its last line does not fit the lines before it")
                made = (tuple(self._entries), tuple(self._sets), tuple(self._diagrams), tuple(self._runs))
                return Certificate(options, *made)
            self._take(line)
        raise FormError("it was cut off: the last line is missing")

    def _take(self, line: dict[str, Any]) -> None:
        try:
            if "set" in line:
                self._numbered(line["set"], self._sets)
                self._sets.append(self._states(line))
            elif "diagram" in line:
                self._numbered(line["diagram"], self._diagrams)
                self._diagrams.append(self._layers(line))
            elif "run" in line:
                self._numbered(line["run"], self._runs)
                self._runs.append(self._row(line["steps"], "firings"))
            else:
                self._spend("bytes about checks", self._bytes)
                self._entries.append(_entry(line))
        except KeyError as missing:
            raise FormError(f"line {self._number} lacks {missing}, or has an unknown value there") from None
        except (TypeError, ValueError, OverflowError) as problem:
            raise FormError(f"line {self._number} is not as it should be: {problem}") from None

    @staticmethod
    def _numbered(number: Any, before: Sequence[object]) -> None:  # noqa: ANN401 - as JSON gives it
        if _natural(number) != len(before):
            raise ValueError(f"the next number would be {len(before)}")

    def _spend(self, what: str, count: int) -> None:
        self._room[what] -= count
        if self._room[what] < 0:
            raise FormError(f"line {self._number}: it holds more {what} than can be checked")

    def _row(self, values: Any, what: str) -> tuple[int, ...]:  # noqa: ANN401 - as JSON gives it
        self._spend(what, len(values) + 1)
        return tuple(_natural(value) for value in values)

    def _more(self, key: str) -> Any:  # noqa: ANN401 - as JSON gives it
        return next(self._source, {})[key]

    def _states(self, line: dict[str, Any]) -> States:
        from base64 import b64decode
        from zlib import decompressobj, error

        count, width, size, pieces = (_natural(line[key]) for key in ("states", "width", "bytes", "lines"))
        self._spend("cells", count * (width + _ROW))
        wanted = count * width * size
        try:
            text = "".join(self._more("rows") for _ in range(pieces))
            flat = decompressobj().decompress(b64decode(text, validate=True), wanted + 1)
        except error:
            raise FormError(f"line {self._number}: a set of states does not unpack") from None
        if len(flat) != wanted:
            raise FormError(f"line {self._number}: a set of states has another size than it says")
        numbers = array(_TYPES[size], flat)
        return States(width, tuple(tuple(numbers[i * width : (i + 1) * width]) for i in range(count)))

    def _layers(self, line: dict[str, Any]) -> Layers:
        levels = tuple(self._row(slots, "nodes") for slots in line["levels"])
        local = tuple(tuple(self._signed(values) for values in states) for states in line["local"])
        nodes: list[tuple[int, ...]] = []
        for _ in range(_natural(line["lines"])):
            nodes += [self._row(kids, "nodes") for kids in self._more("nodes")]
        return Layers(levels, local, tuple(nodes), _natural(line["root"]))

    def _signed(self, values: Any) -> tuple[int, ...]:  # noqa: ANN401 - as JSON gives it
        self._spend("nodes", len(values) + 1)
        return tuple(_whole(value) for value in values)


def _entry(line: dict[str, Any]) -> Entry:
    texts = [line[key] for key in ("check", "label", "subject", "verdict")]
    texts += [line.get("question", ""), line.get("none", "")]
    evidence = line.get("evidence", [])
    if not all(isinstance(text, str) for text in texts) or not isinstance(evidence, list):
        raise ValueError("a check names its texts and its evidence")
    check, label, subject, verdict, question, none = texts
    if verdict not in ("proved", "violated", "inconclusive"):
        raise ValueError(f"`{verdict}` is no verdict")
    return Entry(check, label, subject, _natural(line["query"]), verdict, question, tuple(evidence), none)


def _whole(value: Any) -> int:  # noqa: ANN401 - as JSON gives it
    if type(value) is not int or abs(value) >> 62:
        raise ValueError("a whole number is expected")
    return value


def _natural(value: Any) -> int:  # noqa: ANN401 - as JSON gives it
    if _whole(value) < 0:
        raise ValueError("a number below zero")
    return int(value)


def shifted(width: int, state: Sequence[int]) -> tuple[int, ...]:
    """A state as a row: the numbers of the observers, from `width` on, are shifted by 128."""
    return (*state[:width], *(value + 128 for value in state[width:]))


def unshifted(width: int, row: Sequence[int]) -> tuple[int, ...]:
    """The state of a row."""
    if len(row) == width:
        return tuple(row)
    return (*row[:width], *(value - 128 for value in row[width:]))
