"""Which format a file is in, by its content and its name: one entry a format.

Content decides where it is unmistakable, since `.xml`, `.json` and `.yaml` say nothing; the suffix decides the rest. A
file in a format that we know and do not read yet is told so by name.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from placet.diagnostics import Diagnostic
from placet.source import Span
from placet.values import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from placet.compiled import Compiled
    from placet.source import SourceFile

_HEAD = 1 << 16  # how much of a file is looked at


class Format(NamedTuple):
    """A format that is read. `module` is imported when it is needed: it has `read_all` and, where `writes`, `write`."""

    name: str
    title: str
    suffixes: tuple[str, ...]
    sniff: Callable[[str], bool]
    module: str = ""  # empty: the language itself, which is read by the main path
    writes: bool = False
    follows: bool = False  # its files name others in which parts of them are
    deep: bool = False  # what it is known by may stand anywhere in a file
    converter: str = ""  # a module with `convert`, where the format is written from definitions and not from nets

    def read(
        self,
        source: SourceFile,
        *,
        final: str = "",
        beside: Callable[[str], SourceFile | tuple[str, str]] | None = None,
    ) -> tuple[tuple[Compiled, ...], tuple[Diagnostic, ...]]:
        """Every subject of the file, and what is wrong with it. Raises nothing on any text.

        `beside` opens another file by its path relative to this one, or says why not and what to do about it.
        """
        more = {"beside": beside} if self.follows else {}
        found: tuple[tuple[Compiled, ...], tuple[Diagnostic, ...]] = import_module(self.module).read_all(
            source, final=final, **more
        )
        return found

    def write(self, compiled: Compiled) -> str:
        """The subject in this format."""
        text: str = import_module(self.module).write(compiled)
        return text

    def convert(self, source: SourceFile, form: str, subject: str) -> tuple[str, tuple[Diagnostic, ...]]:
        """The subject of a file in the format `form` in this format, and what is lost."""
        found: tuple[str, tuple[Diagnostic, ...]] = import_module(self.converter).convert(source, form, subject)
        return found

    def losses(self, compiled: Compiled) -> tuple[Diagnostic, ...]:
        """What `write` leaves out, as notes."""
        notes: tuple[Diagnostic, ...] = import_module(self.module).losses(compiled)
        return notes


class Unread(NamedTuple):
    """A format that is recognised and not read yet."""

    title: str
    suffixes: tuple[str, ...]
    sniff: Callable[[str], bool]


def _root(*names: str) -> Callable[[str], bool]:
    """The first element of an XML document has one of these names, whatever its prefix."""

    def sniff(text: str) -> bool:
        import re

        found = re.search(r"<(?:[\w.-]+:)?([A-Za-z_][\w.-]*)", re.sub(r"<!--.*?(?:-->|$)", "", text, flags=re.DOTALL))
        return found is not None and text.lstrip("\ufeff \t\r\n").startswith("<") and found.group(1) in names

    return sniff


def _keys(*names: str) -> Callable[[str], bool]:
    """A JSON or YAML document that has all of these keys somewhere near its beginning."""

    def sniff(text: str) -> bool:
        import re

        return all(re.search(rf"""(?:^|[{{,\s])["']?{re.escape(n)}["']?\s*:""", text) for n in names)

    return sniff


def _both(one: Callable[[str], bool], other: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda text: one(text) and other(text)


def _data(text: str) -> bool:
    """JSON or YAML rather than XML or the language: it begins with a brace or with `key:`."""
    import re

    return re.match(r"""[\s\ufeff]*(?:[\[{]|//|/\*|---|#|["']?[\w.$-]+["']?\s*:)""", text) is not None


def _state_machine(text: str) -> bool:
    """JSON or YAML that has a definition of AWS Step Functions in it, whatever stands around it."""
    if not _data(text):
        return False
    return ("StartAt" in text and "States" in text) or ("AWS::" in text and "::StateMachine" in text)


def _list_of_steps(text: str) -> bool:
    """A YAML list of named steps, one of which calls, assigns or returns something."""
    import re

    lines = re.sub(r"(?m)^\s*(?:#.*)?\n", "", text)
    steps = re.match(r"- [\w.-]+:\s*\n", lines) is not None
    return steps and re.search(r"(?m)^\s+(?:call|assign|return|switch|next):", lines) is not None


FORMATS: tuple[Format, ...] = (
    Format("pnml", "PNML", (".pnml",), _root("pnml"), "placet.formats.pnml", writes=True),
    Format(
        "asl",
        "AWS Step Functions (ASL)",
        (".asl.json", ".asl.json5", ".asl.yaml", ".asl.yml", ".asl"),
        _state_machine,
        "placet.formats.asl.reader",
        follows=True,
        deep=True,
        converter="placet.formats.asl.export",
    ),
    Format("placet", "the placet language", (".placet",), lambda _text: False),
)

UNREAD: tuple[Unread, ...] = (
    Unread("BPMN", (".bpmn", ".bpmn2", ".bpmn20.xml"), _root("definitions")),
    Unread("a Seata state machine", (), _both(_data, _keys("StartState", "States"))),
    Unread("CNCF Serverless Workflow", (".sw.json", ".sw.yaml"), _both(_data, _keys("document", "dsl"))),
    Unread("Argo Workflows", (), _both(_data, lambda text: "argoproj.io/" in text)),
    Unread("AsyncAPI", (), _both(_data, _keys("asyncapi"))),
    Unread("Conductor", (), _both(_data, _keys("tasks", "taskReferenceName"))),
    Unread("Google Workflows", (), _both(_data, _keys("main", "steps"))),
    Unread("Google Workflows", (), _list_of_steps),
    Unread("LoLA", (".lola",), lambda _text: False),
    Unread("TINA", (".net", ".tpn", ".ndr"), lambda _text: False),
)


def find(source: SourceFile) -> Format | Diagnostic:
    """The format of a file, or a diagnostic: P520 where the format is known and not read yet, P521 where it is unknown."""
    head = source.text[:_HEAD]
    name = source.path.lower()
    for suffixed in FORMATS:
        if name.endswith(suffixed.suffixes) and (suffixed.module == "" or suffixed.sniff(head)):
            return suffixed
    for known in FORMATS:
        if known.sniff(source.text if known.deep else head):
            return known
    for unread in UNREAD:
        if unread.sniff(head) or (unread.suffixes and name.endswith(unread.suffixes)):
            return _refusal(source, "P520", f"{unread.title} is not read yet")
    for suffixed in FORMATS:  # broken content: its own reader says best what is wrong with it
        if name.endswith(suffixed.suffixes):
            return suffixed
    return _refusal(source, "P521", "this file is in no format that is read")


def named(name: str) -> Format | None:
    """The format with that name, as `--to pnml` gives it."""
    return next((f for f in FORMATS if f.name == name), None)


def suffixes() -> tuple[str, ...]:
    """The suffixes of all files that are read."""
    return tuple(s for f in FORMATS for s in f.suffixes)


def _refusal(source: SourceFile, code: str, message: str) -> Diagnostic:
    line = source.text[:200].lstrip().split("\n")[0].rstrip()
    at = max(0, source.text.find(line[:80]))
    known = " and ".join(f"{f.title} ({', '.join(f'`{s}`' for s in f.suffixes)})" for f in FORMATS)
    span = Span(source, at, at + len(line[:80]))
    return Diagnostic(code, "error", message, span, help=f"formats that are read: {known}", path=source.path)
