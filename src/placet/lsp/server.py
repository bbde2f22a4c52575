"""The protocol: documents of the editor in, answers of `answers` and verdicts of the pipeline out.

Diagnostics follow every change: reading and compiling takes milliseconds. Verification runs where it is asked for (the lens over
a model, or the command `placet.verify`), on the text as the editor has it, within `SECONDS`; what it found stays until the
text changes.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlparse

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from placet.lsp import answers
from placet.lsp.positions import offset_of, range_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from placet.diagnostics import Diagnostic
    from placet.lsp.names import Occurrence
    from placet.report.report import Report
    from placet.source import SourceFile, Span

VERIFY = "placet.verify"
SECONDS = 20.0

_SEVERITY = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
    "note": types.DiagnosticSeverity.Information,
}
_ITEM = types.CompletionItemKind
_ICONS = {
    "keyword": _ITEM.Keyword, "service": _ITEM.Module, "subject": _ITEM.Class, "element": _ITEM.Function, "place": _ITEM.Field,
    "check": _ITEM.Event, "error": _ITEM.Constant, "profile": _ITEM.Value, "level": _ITEM.Value, "fault": _ITEM.Value,
}  # fmt: skip


class Server(LanguageServer):
    """What is known of the open documents."""

    def __init__(self) -> None:
        super().__init__("placet", sys.modules["placet"].__version__)
        self.verdicts: dict[str, tuple[str, Report]] = {}  # by uri: the text that was verified, and what was found
        self._read: dict[str, answers.Document] = {}

    def document(self, uri: str) -> answers.Document:
        """The document as it is now; read once for each of its texts."""
        text = self.workspace.get_text_document(uri).source
        known = self._read.get(uri)
        if known is None or known.source.text != text:
            known = self._read[uri] = answers.Document(path_of(uri), text)
        return known

    def forget(self, uri: str) -> None:
        """The editor has closed it."""
        self._read.pop(uri, None)
        self.verdicts.pop(uri, None)


def path_of(uri: str) -> str:
    """The path of a document, as diagnostics name it."""
    parts = urlparse(uri)
    return unquote(parts.path) if parts.scheme == "file" else Path(unquote(parts.path)).name or "untitled.placet"


def make() -> Server:
    """A server with all its features, not started."""
    server = Server()
    feature = server.feature
    feature(types.TEXT_DOCUMENT_DID_OPEN)(_changed)
    feature(types.TEXT_DOCUMENT_DID_CHANGE)(_changed)
    feature(types.TEXT_DOCUMENT_DID_SAVE)(_changed)
    feature(types.TEXT_DOCUMENT_DID_CLOSE)(_closed)
    feature(types.TEXT_DOCUMENT_HOVER)(_hover)
    feature(types.TEXT_DOCUMENT_DEFINITION)(_definition)
    feature(types.TEXT_DOCUMENT_REFERENCES)(_references)
    feature(types.TEXT_DOCUMENT_RENAME)(_rename)
    feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=[" ", "."]))(_completion)
    feature(types.TEXT_DOCUMENT_FORMATTING)(_formatting)
    feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)(_symbols)
    feature(types.TEXT_DOCUMENT_CODE_LENS, types.CodeLensOptions(resolve_provider=False))(_lenses)
    server.command(VERIFY)(_verify)
    return server


def start() -> None:
    """Serve one editor over standard input and output until it says so, or is gone."""
    make().start_io()


def _changed(server: Server, params: Any) -> None:  # noqa: ANN401 - three kinds of notification
    _publish(server, params.text_document.uri)


def _closed(server: Server, params: types.DidCloseTextDocumentParams) -> None:
    server.forget(params.text_document.uri)
    server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(params.text_document.uri, []))


def _publish(server: Server, uri: str) -> None:
    """Send what is wrong with the text, and what its last verification found, if the text is still the same."""
    from placet.pipeline import compile_source

    source = server.document(uri).source
    found = [_diagnostic(uri, source, d) for d in compile_source(source).diagnostics]
    verified, report = server.verdicts.get(uri, ("", None))
    if report is not None and verified == source.text:
        found += _violations(source, report)
    server.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, found))


def _diagnostic(uri: str, source: SourceFile, diagnostic: Diagnostic) -> types.Diagnostic:
    message = diagnostic.message + "".join(f"\n{note}" for note in diagnostic.notes)
    if diagnostic.help:
        message += f"\nhelp: {diagnostic.help}"
    return types.Diagnostic(
        _range(source, diagnostic.span),
        message,
        severity=_SEVERITY[diagnostic.severity],
        code=diagnostic.code,
        source="placet",
        related_information=[
            types.DiagnosticRelatedInformation(types.Location(uri, _range(source, label.span)), label.text)
            for label in diagnostic.labels
        ],
    )


def _violations(source: SourceFile, report: Report) -> list[types.Diagnostic]:
    """What the last verification found, at the checks and steps that it concerns."""
    from placet.report.findings import findings
    from placet.report.words import clean

    known = {d.code for model in report.models for d in model.diagnostics}
    return [
        types.Diagnostic(
            _range(source, f.span),
            clean(f.message),
            severity=_SEVERITY[f.severity],
            code=f.code,
            source="placet verify",
        )
        for f in findings(report)
        if f.code not in known
    ]


def _range(source: SourceFile, span: Span | None) -> types.Range:
    if span is None or span.source.path != source.path:
        return types.Range(types.Position(0, 0), types.Position(0, 0))
    return range_of(source, span.start, span.end)


def _locations(uri: str, document: answers.Document, found: Sequence[Occurrence]) -> list[types.Location]:
    return [types.Location(uri, _range(document.source, o.span)) for o in found]


def _at(server: Server, params: Any) -> tuple[answers.Document, int]:  # noqa: ANN401 - any that names a position
    document = server.document(params.text_document.uri)
    return document, offset_of(document.source, params.position)


def _hover(server: Server, params: types.HoverParams) -> types.Hover | None:
    from placet.pipeline import compile_source

    document, offset = _at(server, params)
    problems = compile_source(document.source).diagnostics
    codes = tuple(
        dict.fromkeys(d.code for d in problems if d.span is not None and d.span.start <= offset <= d.span.end)
    )
    text = answers.hover(document, offset, codes)
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, text)) if text else None


def _definition(server: Server, params: types.DefinitionParams) -> list[types.Location]:
    document, offset = _at(server, params)
    return _locations(params.text_document.uri, document, answers.definitions(document, offset))


def _references(server: Server, params: types.ReferenceParams) -> list[types.Location]:
    document, offset = _at(server, params)
    return _locations(params.text_document.uri, document, answers.references(document, offset))


def _rename(server: Server, params: types.RenameParams) -> types.WorkspaceEdit | None:
    document, offset = _at(server, params)
    try:
        spans = answers.rename(document, offset, params.new_name)
    except answers.Refused as why:
        server.window_show_message(types.ShowMessageParams(types.MessageType.Warning, str(why)))
        return None
    edits = [types.TextEdit(_range(document.source, span), params.new_name) for span in spans]
    return types.WorkspaceEdit(changes={params.text_document.uri: edits})


def _completion(server: Server, params: types.CompletionParams) -> types.CompletionList:
    document, offset = _at(server, params)
    items = [
        types.CompletionItem(p.text, kind=_ICONS.get(p.kind), detail=p.detail or None, sort_text=f"{n:04}")
        for n, p in enumerate(answers.completions(document, offset))
    ]
    return types.CompletionList(is_incomplete=False, items=items)


def _formatting(server: Server, params: types.DocumentFormattingParams) -> list[types.TextEdit]:
    from placet.syntax.formatter import format_source

    source = server.document(params.text_document.uri).source
    text, _ = format_source(source)
    if text is None or text == source.text:
        return []
    return [types.TextEdit(range_of(source, 0, len(source.text)), text)]


def _symbols(server: Server, params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
    document = server.document(params.text_document.uri)
    inside: dict[str, list[types.DocumentSymbol]] = {}
    found: list[types.DocumentSymbol] = []
    kinds = {
        "service": types.SymbolKind.Module,
        "subject": types.SymbolKind.Class,
        "element": types.SymbolKind.Function,
    }
    for one in document.index.occurrences:
        if one.declares and one.symbol.kind not in ("undo", "end"):
            shown = types.DocumentSymbol(
                one.symbol.text,
                kinds.get(one.symbol.kind, types.SymbolKind.Field),
                _range(document.source, one.whole),
                _range(document.source, one.span),
                children=inside.setdefault(one.symbol.text, []) if one.symbol.kind == "subject" else None,
            )
            (inside.setdefault(one.symbol.owner, []) if one.symbol.owner else found).append(shown)
    return found


def _lenses(server: Server, params: types.CodeLensParams) -> list[types.CodeLens]:
    """Over each workflow, saga, net or machine: verify it, or what the verification found."""
    uri = params.text_document.uri
    document = server.document(uri)
    verified, report = server.verdicts.get(uri, ("", None))
    fresh = report if verified == document.source.text else None
    return [
        types.CodeLens(
            _range(document.source, one.span),
            types.Command(_title(fresh, one.symbol.text), VERIFY, arguments=[uri]),
        )
        for one in document.index.occurrences
        if one.symbol.kind == "subject" and one.declares
    ]


def _title(report: Report | None, subject: str) -> str:
    checks = [c for model in report.models if model.subject == subject for c in model.checks] if report else []
    if not checks:
        return "verify"
    bad = [c for c in checks if c.outcome != "proved"]
    if not bad:
        return f"placet: {len(checks)} proved"
    words = ", ".join(f"{c.label} {c.outcome}" for c in bad[:3])
    return f"non placet: {words}" if any(c.outcome == "violated" for c in bad) else words


def _verify(server: Server, uri: str) -> str:
    """Verify the document as the editor has it. Gives the overall verdict."""
    from placet.evidence import Budget
    from placet.pipeline import Options, check, compile_source

    source = server.document(uri).source
    report = check(compile_source(source), Options(budget=Budget(seconds=SECONDS)))
    server.verdicts[uri] = (source.text, report)
    _publish(server, uri)
    if getattr(getattr(server.client_capabilities.workspace, "code_lens", None), "refresh_support", False):
        server.workspace_code_lens_refresh(None)
    return report.verdict
