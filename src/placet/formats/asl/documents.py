"""Where in a document the definitions of state machines are: the whole of it, or inside a template or an answer of AWS.

A definition is an object with `StartAt` and `States`, wherever it stands, or a string that holds one: `DefinitionString`
of a template, joined or substituted, and `definition` of what the service answers. Placeholders stay as they are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from placet.diagnostics import Diagnostic
from placet.formats import json_read, yaml_read
from placet.formats.data_tree import BadData, Limits, Node
from placet.values import NamedTuple

if TYPE_CHECKING:
    from placet.source import SourceFile

_RESOURCES = frozenset(("AWS::StepFunctions::StateMachine", "AWS::Serverless::StateMachine"))
_STRINGS = frozenset(("definition", "Definition", "DefinitionString", "definitionString"))
_SUFFIX = re.compile(r"(?:\.asl|\.sfn|\.states|\.template)?\.(?:json5?|ya?ml|asl)$|\.asl$", re.IGNORECASE)
_NOT_IN_IDS = re.compile(r"[/#@\[\]{}]")
MOST_PATH = 400
_YAML_FILE = re.compile(r"\.ya?ml$", re.IGNORECASE)


class Definition(NamedTuple):
    """One state machine as it was found. `name` is that of its resource, of its answer, or of the file."""

    name: str
    node: Node
    express: bool = False
    resource: str = ""  # the logical id in a template
    substitutions: dict[str, str] = {}  # noqa: RUF012 # placeholder -> logical id of the template; never written to


class Elsewhere(NamedTuple):
    """A state machine of a template whose definition is in another file; `diagnostic` says so."""

    name: str
    path: str
    express: bool
    substitutions: dict[str, str]
    diagnostic: Diagnostic


class Document(NamedTuple):
    """A file: its definitions, and what is wrong with it."""

    definitions: tuple[Definition, ...]
    diagnostics: tuple[Diagnostic, ...]
    elsewhere: tuple[Elsewhere, ...] = ()


class _Search:
    def __init__(self, source: SourceFile, limits: Limits) -> None:
        self.source = source
        self.limits = limits
        self.file = _name_of(source.path)
        self.found: list[Definition] = []
        self.diagnostics: list[Diagnostic] = []
        self.others: list[Elsewhere] = []

    def search(self, node: Node, name: str, depth: int = 0, *, express: bool = False) -> None:
        """Definitions in a value. Recurses over its depth, which is bounded."""
        if node.kind == "object":
            if "StartAt" in node.members and "States" in node.members:
                self.found.append(Definition(name, node, express))
                return
            kind = node.get("Type")
            if kind is not None and kind.kind == "string" and kind.text in _RESOURCES:
                self.resource(node, name, depth)
                return
            named = node.get("name")
            called = named.text if named is not None and named.kind == "string" and named.text else name
            sort = node.get("type")
            short = sort is not None and sort.kind == "string" and sort.text.upper() == "EXPRESS"
            for key, member in node.members.items():
                if key in _STRINGS:
                    inner = self.text(member.value, depth)
                    self.search(inner or member.value, called, depth + 1, express=short)
                    continue
                self.search(member.value, key if depth else called, depth + 1)
        elif node.kind == "array":
            for item in node.items:
                self.search(item, name, depth + 1)

    def text(self, node: Node, depth: int) -> Node | None:
        """The tree of a definition that is written as a string; None where this is no such string."""
        if node.kind == "object" and len(node.members) == 1:
            key, member = next(iter(node.members.items()))
            if key == "Fn::Sub":
                inner = member.value.items[0] if member.value.kind == "array" and member.value.items else member.value
                return self.text(inner, depth)
            if key == "Fn::Join" and len(member.value.items) == 2:
                return self.joined(member.value, depth)
            return None
        if node.kind == "array" and node.tag == "!Sub" and node.items:
            return self.text(node.items[0], depth)
        if node.kind == "array" and node.tag == "!Join" and len(node.items) == 2:
            return self.joined(node, depth)
        if node.kind != "string" or "StartAt" not in node.text:
            return None
        return self.parsed(node.text, self.places(node), depth)

    def places(self, node: Node) -> list[int]:
        """Where the letters of a string stand."""
        text = self.source.text
        if text.startswith(('"', "'"), node.start) and not self.yaml:
            return json_read.places_of_string(text, node.start, node.end)
        return yaml_read.places_of_scalar(text, node)

    yaml = False

    def joined(self, node: Node, depth: int) -> Node | None:
        """`Fn::Join`: its strings one after the other, and for what is no string a placeholder."""
        between, parts = node.items
        if between.kind != "string" or parts.kind != "array":
            return None
        text: list[str] = []
        places: list[int] = []
        for number, part in enumerate(parts.items):
            if number and between.text:
                text.append(between.text)
                places += [part.start] * len(between.text)
            part = _substituted(part)  # noqa: PLW2901
            if part.kind == "string" and part.tag in ("", "!Sub"):
                text.append(part.text)
                places += self.places(part)[: len(part.text)]
            else:
                filled = f"${{{_reference(part) or 'value'}}}"
                text.append(filled)
                places += [part.start] * len(filled)
        whole = "".join(text)
        return self.parsed(whole, [*places, node.end - 1], depth) if "StartAt" in whole else None

    def parsed(self, text: str, places: list[int], depth: int) -> Node | None:
        if re.match(r"\s*[\[{/]", text):
            return json_read.read(text, self.limits, places, depth).root
        return None

    def resource(self, node: Node, name: str, depth: int) -> None:
        """A state machine of a template."""
        properties = node.get("Properties")
        if properties is None:
            return
        kind = properties.get("StateMachineType") or properties.get("Type")
        filled = properties.get("DefinitionSubstitutions")
        substitutions = {k: _reference(m.value) for k, m in filled.members.items()} if filled is not None else {}
        express = kind is not None and kind.text.upper() == "EXPRESS"
        for key in ("Definition", "DefinitionString"):
            value = properties.get(key)
            if value is None:
                continue
            for way in _ways(value):
                inner = self.text(way, depth) or way
                if "States" in inner.members or "StartAt" in inner.members:
                    self.found.append(Definition(name, inner, express, name, substitutions))
                elif way.kind == "string" and "StartAt" in way.text:
                    message = f"the definition of `{name}` is no JSON, which is what `{key}` holds"
                    hint = "write it as JSON, or as an object under `Definition` of a SAM template"
                    self.diagnostics.append(self.limits.fail("P530", message, way.start, way.end, hint).diagnostic)
                else:
                    self.elsewhere(name, way)
            return
        for key in ("DefinitionUri", "DefinitionS3Location"):
            value = properties.get(key)
            if value is not None:
                said = self.elsewhere(name, value)
                if value.kind == "string" and not value.tag and 0 < len(value.text) < MOST_PATH:
                    self.others.append(Elsewhere(name, value.text, express, substitutions, said))

    def elsewhere(self, name: str, value: Node) -> Diagnostic:
        where = f"`{value.text[:80]}`" if value.kind == "string" and len(value.text) < MOST_PATH else "another place"
        said = Diagnostic(
            "P535", "warning", f"the definition of `{name}` is in {where}, and not read with this file",
            self.limits.span(value.start, value.end), help="verify that file itself", path=self.source.path,
        )  # fmt: skip
        self.diagnostics.append(said)
        return said


def read(source: SourceFile) -> Document:
    """The definitions of a file. Raises nothing. Linear."""
    try:
        limits = Limits(source)
        search = _Search(source, limits)
        root = _tree(source, limits, search)
        search.search(root, search.file)
    except BadData as bad:
        return Document((), (bad.diagnostic,))
    found, problems = search.found, search.diagnostics
    if not found and not problems:
        found = [Definition(search.file, root)]  # what is missing from it is said by who reads it
    return Document(tuple(_distinct(found)), tuple(problems), tuple(search.others))


def _tree(source: SourceFile, limits: Limits, search: _Search) -> Node:
    """The file as JSON where it begins as JSON does and is not called YAML, else as YAML."""
    if _YAML_FILE.search(source.path) or not re.match(r"[\s\ufeff]*(?:[\[{\"]|//|/\*|$)", source.text[:10_000]):
        search.yaml = True
        return yaml_read.read(source.text, limits)
    return json_read.read(source.text, limits).root


def _ways(node: Node) -> tuple[Node, ...]:
    """The values that a value of a template may be: both ways of `Fn::If`; what `Fn::ToJsonString` writes down. Bounded."""
    found: list[Node] = []
    pending = [node]
    while pending:
        at = pending.pop(0)
        tag, value = (at.tag, at) if at.tag else next(((k, m.value) for k, m in at.members.items()), ("", at))
        if tag in ("!If", "Fn::If") and len(value.items) == 3:
            pending += value.items[1:]
        elif tag in ("!ToJsonString", "Fn::ToJsonString") and value.kind == "object":
            pending.append(value._replace(tag=""))
        elif not (tag in ("Ref", "!Ref") and value.text == "AWS::NoValue"):
            found.append(at)
    return tuple(found)


def _substituted(node: Node) -> Node:
    """The text that `Fn::Sub` fills, where it is one."""
    if node.kind == "object" and len(node.members) == 1 and "Fn::Sub" in node.members:
        node = node.members["Fn::Sub"].value
    elif node.tag != "!Sub":
        return node
    if node.kind == "array" and node.items:
        return node.items[0]
    return node


def _reference(node: Node) -> str:
    """The logical id that a value of a template refers to, or nothing."""
    if node.tag in ("!Ref", "!GetAtt") and node.kind == "string":
        return node.text.partition(".")[0]
    if node.kind == "object" and len(node.members) == 1:
        key, member = next(iter(node.members.items()))
        value = member.value
        if key == "Ref":
            return value.text
        if key == "Fn::GetAtt":
            return value.items[0].text if value.items else value.text.partition(".")[0]
    return ""


def _name_of(path: str) -> str:
    """A file by its name without folders and suffixes."""
    last = re.split(r"[/\\]", path)[-1]
    return _SUFFIX.sub("", last) or last or "machine"


def _distinct(found: list[Definition]) -> list[Definition]:
    """Names that tell the definitions of one file apart."""
    counts: dict[str, int] = {}
    named = []
    for definition in found:
        name = _NOT_IN_IDS.sub("_", definition.name) or "machine"
        count = counts[name] = counts.get(name, 0) + 1
        named.append(definition._replace(name=name if count == 1 else f"{name}~{count}"))
    return named
