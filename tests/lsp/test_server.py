"""The server as an editor meets it: a process of its own, spoken to by the client of pygls."""

from __future__ import annotations

import asyncio
import sys

import pytest

pytest.importorskip("pygls", reason="the extra `lsp` is not installed")

from lsprotocol import types
from pygls.lsp.client import LanguageClient

URI = "file:///orders/pay.placet"
TEXT = """\
service bank { idempotent }
saga pay {
  step charge on bank { undo refund; timeout 5s }
}
workflow order { task "oops"
"""
GOOD = """\
service bank { idempotent }
saga pay { step charge on bank { undo refund; timeout 5s } }
workflow 𝔬rder { task find;  end done }
check never(charge.done) "nobody pays"
check sound(𝔬rder)
"""


async def conversation(talk):
    client = LanguageClient("test", "1")
    told: asyncio.Queue = asyncio.Queue()
    messages: list[str] = []

    @client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    def published(params):
        told.put_nowait(params)

    client.feature(types.WINDOW_SHOW_MESSAGE)(lambda params: messages.append(params.message))
    await client.start_io(sys.executable, "-m", "placet", "lsp", "--stdio")
    try:
        answer = await client.initialize_async(types.InitializeParams(types.ClientCapabilities()))
        client.initialized(types.InitializedParams())
        return await asyncio.wait_for(talk(client, answer.capabilities, told, messages), 60)
    finally:
        await client.shutdown_async(None)
        client.exit(None)
        await client.stop()


def opened(client, text):
    client.text_document_did_open(types.DidOpenTextDocumentParams(types.TextDocumentItem(URI, "placet", 1, text)))


def where(text, word, nth=0):
    """Line and UTF-16 column of a word."""
    at = -1
    for _ in range(nth + 1):
        at = text.index(word, at + 1)
    line = text.count("\n", 0, at)
    begin = text.rfind("\n", 0, at) + 1
    return types.Position(line, len(text[begin:at].encode("utf-16-le")) // 2)


def test_diagnostics_follow_the_text():
    async def talk(client, capabilities, told, messages):
        assert capabilities.rename_provider
        opened(client, TEXT)
        first = await told.get()
        assert first.uri == URI
        assert any(d.severity == types.DiagnosticSeverity.Error and d.range.start.line == 4 for d in first.diagnostics)
        assert all(d.code.startswith("P") and d.source == "placet" for d in first.diagnostics)
        whole = types.TextDocumentContentChangeWholeDocument(GOOD)
        client.text_document_did_change(
            types.DidChangeTextDocumentParams(types.VersionedTextDocumentIdentifier(2, URI), [whole])
        )
        second = await told.get()
        assert not any(d.severity == types.DiagnosticSeverity.Error for d in second.diagnostics)
        client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(URI)))
        assert not (await told.get()).diagnostics

    asyncio.run(conversation(talk))


def test_names_formatting_and_completion():
    document = types.TextDocumentIdentifier(URI)

    async def talk(client, capabilities, told, messages):
        opened(client, GOOD)
        await told.get()
        use = where(GOOD, "𝔬rder", 1)
        found = await client.text_document_definition_async(types.DefinitionParams(document, use))
        assert [(x.range.start, x.range.end.character) for x in found] == [(where(GOOD, "𝔬rder"), 15)]
        edit = await client.text_document_rename_async(types.RenameParams(document, use, "purchase"))
        assert len(edit.changes[URI]) == 2
        refused = await client.text_document_rename_async(types.RenameParams(document, use, "pay"))
        assert refused is None
        assert "something else" in messages[-1]
        shown = await client.text_document_hover_async(types.HoverParams(document, where(GOOD, "charge", 1)))
        assert "step charge on bank" in shown.contents.value
        options = types.FormattingOptions(tab_size=2, insert_spaces=True)
        edits = await client.text_document_formatting_async(types.DocumentFormattingParams(document, options))
        assert "task find\n" in edits[0].new_text
        proposed = await client.text_document_completion_async(types.CompletionParams(document, where(GOOD, "bank", 1)))
        assert "bank" in [item.label for item in proposed.items]
        outline = await client.text_document_document_symbol_async(types.DocumentSymbolParams(document))
        assert {s.name for s in outline} == {"bank", "pay", "𝔬rder"}

    asyncio.run(conversation(talk))


def test_the_lens_verifies():
    document = types.TextDocumentIdentifier(URI)

    async def talk(client, capabilities, told, messages):
        opened(client, GOOD)
        await told.get()
        lenses = await client.text_document_code_lens_async(types.CodeLensParams(document))
        assert [x.command.title for x in lenses] == ["verify", "verify"]
        command = lenses[0].command
        verdict = await client.workspace_execute_command_async(
            types.ExecuteCommandParams(command.command, command.arguments)
        )
        assert verdict == "non placet"
        after = (await told.get()).diagnostics
        refuted = [d for d in after if d.source == "placet verify"]
        assert [(d.code, d.range.start.line) for d in refuted] == [("never", 3)]
        assert "nobody pays" in refuted[0].message
        lenses = await client.text_document_code_lens_async(types.CodeLensParams(document))
        assert sorted(x.command.title.split(":")[0] for x in lenses) == ["non placet", "placet"]

    asyncio.run(conversation(talk))
