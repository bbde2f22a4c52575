"""PNML: what is written is read back as the same net, and each thing a file can say, once."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.errors import UsageError
from placet.formats.pnml import losses, read, read_all, write
from placet.formats.registry import FORMATS, find
from placet.net.builder import NetBuilder
from placet.net.final import PlaceClass
from placet.source import SourceFile
from strategies import any_nets, compiled_of, workflow_nets


def net_of(*lines: str, after: str = "", kind: str = "ptnet") -> SourceFile:
    body = "\n".join(lines)
    return SourceFile(
        "x.pnml", f'<pnml>\n<net id="n" type="{kind}"><page id="g">\n{body}\n</page>{after}</net>\n</pnml>'
    )


def taken(source: SourceFile, **options):
    compiled, diagnostics = read(source, **options)
    assert compiled is not None, diagnostics
    assert not [d for d in diagnostics if d.severity == "error"]
    return compiled


def same(one, other) -> None:
    assert one.net._replace(name="") == other.net._replace(name="")
    assert one.initial == other.initial
    assert one.final == other.final


PT = ('<place id="p"><initialMarking><text>2</text></initialMarking></place>', '<transition id="t"/>')


# -- laws ------------------------------------------------------------------------------------------------------------


@given(any_nets())
def test_written_and_read_is_the_same_net(marked):
    compiled = compiled_of(*marked)
    again = taken(SourceFile("x.pnml", write(compiled)))
    same(compiled, again)
    assert write(again) == write(compiled)


@given(workflow_nets(), st.booleans())
def test_final_markings_survive(compiled, any_sink):
    compiled = compiled._replace(final=compiled.final._replace(any_sink=any_sink))
    same(compiled, taken(SourceFile("x.pnml", write(compiled))))


@given(
    st.lists(st.text(min_size=1), min_size=1, max_size=4, unique=True),
    st.lists(st.text(min_size=1), min_size=1, max_size=4, unique=True),
    st.data(),
)
def test_any_ids_survive(places, transitions, data):
    builder = NetBuilder("m")
    for p in places:
        builder.place(p)
    for t in transitions:
        builder.transition(t, {data.draw(st.integers(0, len(places) - 1)): 1}, {})
    compiled = compiled_of(*builder.build())
    compiled = compiled._replace(
        final=compiled.final._replace(classes=tuple(data.draw(st.sampled_from(PlaceClass)) for _ in places))
    )
    same(compiled, taken(SourceFile("x.pnml", write(compiled))))


@pytest.mark.parametrize(
    "identifier", ["\ud800", "a\0b", "\x1b[31m", "page", "net", "arc1", "p.a_b", "a/b", "a#b", '"><x']
)
def test_awkward_ids_survive(identifier):
    builder = NetBuilder("net")
    builder.place(identifier)
    builder.place("a/b " + identifier)
    builder.transition(identifier, {0: 1}, {1: 2})
    same(compiled_of(*builder.build()), taken(SourceFile("x.pnml", write(compiled_of(*builder.build())))))


@given(any_nets())
def test_origins_are_total_and_located(marked):
    source = SourceFile("x.pnml", write(compiled_of(*marked)))
    compiled = taken(source)
    assert [o.id for o in compiled.origin.places] == list(compiled.net.places)
    assert [o.id for o in compiled.origin.transitions] == list(compiled.net.transitions)
    for origin, tag in [
        *((o, "place") for o in compiled.origin.places),
        *((o, "transition") for o in compiled.origin.transitions),
    ]:
        assert origin.span.text == f'<{tag} id="{origin.id}">'
        assert f"`{origin.id}`" in origin.phrase


# -- what a file can say ---------------------------------------------------------------------------------------------


def test_names_speak_and_twins_carry_their_ids():
    compiled = taken(
        net_of(
            '<place id="p"><name><text>order\n  waits</text></name></place>',
            '<transition id="t"><name><text>pay</text></name></transition>',
            '<transition id="u"><name><text>pay</text></name></transition>',
        )
    )
    assert compiled.origin.places[0].phrase == "`order waits` holds a token"
    assert [o.phrase for o in compiled.origin.transitions] == ["`pay` (`t`) happens", "`pay` (`u`) happens"]
    assert taken(SourceFile("x", write(compiled))).origin.places[0].phrase == "`order waits` holds a token"


def test_weights_loops_and_repeated_arcs():
    compiled = taken(
        net_of(
            *PT,
            '<arc id="a" source="p" target="t"><inscription><text> 2 </text></inscription></arc>',
            '<arc id="b" source="p" target="t"/>',
            '<arc id="c" source="t" target="p"/>',
        )
    )
    assert compiled.net.pre == (((0, 3),),)
    assert compiled.net.post == (((0, 1),),)
    assert compiled.initial == (2,)


@pytest.mark.parametrize(
    "arc",
    [
        '<arc id="a" source="p" target="t"><type value="inhibitor"/><inscription><text>3</text></inscription></arc>',
        '<arc id="a" source="p" target="t"><inscription><value>Default,3</value></inscription><type value="inhibitor"/></arc>',
        '<arc id="a" source="p" target="t"><arctype><text>inhibitor</text></arctype><inscription><text>3</text></inscription></arc>',
        '<arc id="a" source="p" target="t" type="tapnInhibitor" inscription="[0,inf)" weight="3"/>',
        '<arc id="a" source="p" target="t" type="inhibitor" inscription="3"/>',
    ],
)
def test_inhibitor_arcs_as_tools_write_them(arc):
    compiled = taken(net_of(*PT, arc))
    assert compiled.net.inhibit == (((0, 3),),)
    assert compiled.net.pre == ((),)


@pytest.mark.parametrize("kind", ["read", "test", "reset"])
def test_other_kinds_of_arcs(kind):
    compiled = taken(net_of(*PT, f'<arc id="a" source="p" target="t"><type value="{kind}"/></arc>'))
    assert compiled.net.read == ((((0, 1),),) if kind != "reset" else ((),))
    assert compiled.net.reset == (((0,),) if kind == "reset" else ((),))


def test_pipe_and_tapaal_markings_and_capacities():
    compiled = taken(
        net_of(
            '<place id="a"><name><value>A</value></name><initialMarking><value>Default,2</value></initialMarking>'
            "<capacity><value>0</value></capacity></place>",
            '<place id="b" name="B" initialMarking="1" invariant="&lt; inf"/>',
            '<place id="c"><capacity><value>4</value></capacity></place>',
            '<transition id="t"/>',
        )
    )
    assert compiled.initial == (2, 1, 0)
    assert compiled.net.capacity == ((2, 4),)
    assert [o.phrase for o in compiled.origin.places[:2]] == ["`A` holds a token", "`B` holds a token"]


def test_pages_nest_and_references_chain():
    compiled = taken(
        net_of(
            *PT,
            '<page id="inner"><referencePlace id="r" ref="s"/><page id="deep"><referencePlace id="s" ref="p"/>',
            '<referenceTransition id="v" ref="t"/><arc id="a" source="r" target="v"/></page></page>',
        )
    )
    assert compiled.net.places == ("p",)
    assert compiled.net.pre == (((0, 1),),)


def test_long_chains_of_references_take_linear_time():
    lines = [f'<referencePlace id="r{i}" ref="r{i + 1}"/>' for i in range(30_000)]
    compiled = taken(net_of(*PT, *lines, '<referencePlace id="r30000" ref="p"/><arc id="a" source="r0" target="t"/>'))
    assert compiled.net.pre == (((0, 1),),)


def test_prefixes_and_namespaces_do_not_matter():
    text = '<x:pnml xmlns:x="urn:any"><x:net id="n"><x:place id="p"/></x:net></x:pnml>'
    assert taken(SourceFile("x", text)).net.places == ("p",)


def test_several_nets_are_several_subjects():
    text = '<pnml><net id="a"><place id="p"/></net><net id="b"><place id="p"/><arc id="x" source="p" target="q"/></net><net id="c"/></pnml>'
    nets, diagnostics = read_all(SourceFile("x", text))
    assert [c.subject for c in nets] == ["a", "c"]
    assert [d.code for d in diagnostics] == ["P509"]
    first, diagnostics = read(SourceFile("x", text))
    assert first.subject == "a"
    assert [d.code for d in diagnostics] == ["P509", "P516"]


# -- final markings --------------------------------------------------------------------------------------------------

FLOW = (
    '<place id="i"><initialMarking><text>1</text></initialMarking></place><place id="o"/><transition id="t"/>',
    '<arc id="a" source="i" target="t"/><arc id="b" source="t" target="o"/>',
)


def test_a_workflow_net_ends_on_its_sink():
    assert taken(net_of(*FLOW)).final.ends == (1,)


@pytest.mark.parametrize(
    "more",
    [
        '<place id="x"/>',  # a second source and sink
        '<transition id="u"/><arc id="c" source="o" target="u"/>',  # the sink is emptied
        '<transition id="u"/><place id="x"/><arc id="c" source="u" target="x"/><arc id="d" source="x" target="u"/>',  # apart
        '<transition id="u"/>',  # a transition on no path
    ],
)
def test_other_nets_have_no_final_marking(more):
    assert taken(net_of(*FLOW, more)).final.ends == ()


def test_a_workflow_net_starts_with_one_token():
    assert taken(net_of(FLOW[0].replace(">1<", ">2<"), FLOW[1])).final.ends == ()


def test_any_sink():
    compiled = taken(net_of(*FLOW, '<place id="x"/>'), final="any-sink")
    assert compiled.final.ends == (1, 2)
    assert compiled.final.any_sink
    assert compiled.assumptions.final == "any-sink"


def test_stated_final_markings():
    def stated(*markings: str):
        after = "<finalmarkings>" + "".join(f"<marking>{m}</marking>" for m in markings) + "</finalmarkings>"
        compiled, diagnostics = read(net_of(*FLOW, after=after))
        return compiled.final.ends, [d.code for d in diagnostics]

    one = '<place idref="{}"><text>{}</text></place>'
    assert stated(one.format("i", 1)) == ((0,), [])
    assert stated(one.format("i", 1) + one.format("o", 0), one.format("o", 1)) == ((0, 1), [])
    assert stated("") == ((1,), [])
    assert stated(one.format("i", 2)) == ((), ["P517"])
    assert stated(one.format("zz", 1)) == ((), ["P517"])
    assert stated(one.format("i", 1) + one.format("o", 1)) == ((), ["P517"])


def test_an_unknown_variant_is_misuse():
    with pytest.raises(UsageError):
        read(net_of(*PT), final="every-sink")


# -- what is wrong, and where ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "code", "where"),
    [
        (['<arc id="a" source="p" target="zz"/>'], "P509", "zz"),
        (['<place id="p"/>'], "P508", "p"),
        (['<referencePlace id="r" ref="nix"/>'], "P511", "nix"),
        (['<referencePlace id="r" ref="t"/>'], "P511", "t"),
        (['<arc id="a" source="p" target="t"><inscription><text>0</text></inscription></arc>'], "P513", "0"),
        (['<arc id="a" source="p" target="t"><inscription><text>-3</text></inscription></arc>'], "P513", "-3"),
        (['<arc id="a" source="p" target="t"><inscription><text>1.5</text></inscription></arc>'], "P513", "1.5"),
        (['<arc id="a" source="p" target="t"><inscription><text>١</text></inscription></arc>'], "P513", "١"),
        (
            [f'<arc id="a" source="p" target="t"><inscription><text>1{"0" * 30}</text></inscription></arc>'],
            "P513",
            "1" + "0" * 30,
        ),
        ([f'<place id="x"><initialMarking><text>{"9" * 10**6}</text></initialMarking></place>'], "P513", "9" * 10**6),
        (
            [
                '<place id="x"><capacity><text>1</text></capacity><initialMarking><text>2</text></initialMarking></place>'
            ],
            "P513",
            "1",
        ),
        (['<place name="x"/>'], "P507", '<place name="x"/>'),
        (['<arc id="ä" source="p" target="ö"/>'], "P509", "ö"),
        (['<arc id="a" source="p" target="t"><type value="transport"/></arc>'], "P514", '<type value="transport"/>'),
    ],
)
def test_problems_are_located(lines, code, where):
    compiled, diagnostics = read(net_of("<!-- ünïcödé 𝄞 before -->", *PT, *lines))
    assert compiled is None
    assert [d.code for d in diagnostics] == [code]
    assert diagnostics[0].span.text == where
    assert len(diagnostics[0].message) < 200


def test_all_problems_are_told_at_once():
    compiled, diagnostics = read(
        net_of(*PT, '<arc id="a" source="p" target="pp"/>', '<arc id="b" source="q" target="t"/>')
    )
    assert compiled is None
    assert [str(d.span) for d in diagnostics] == ["x.pnml:5:32", "x.pnml:6:21"]
    assert "did you mean" not in diagnostics[0].message


def test_circles_are_told_once():
    _, diagnostics = read(
        net_of(
            *PT,
            *(f'<referencePlace id="r{i}" ref="r{(i + 1) % 3}"/>' for i in range(3)),
            '<arc id="a" source="r0" target="t"/>',
        )
    )
    assert [d.code for d in diagnostics] == ["P512"]


@pytest.mark.parametrize(
    "kind",
    [
        "symmetricnet",
        "highlevelnet",
        "pt-hlpng",
        "http://www.pnml.org/version-2009/grammar/hlpn",
        "http://x/coreColoured",
    ],
)
def test_high_level_nets_are_refused(kind):
    compiled, diagnostics = read(net_of(*PT, kind=kind))
    if kind == "pt-hlpng":
        assert compiled is not None or diagnostics
    else:
        assert compiled is None
        assert [d.code for d in diagnostics] == ["P506"]
        assert diagnostics[0].span.text == kind


@pytest.mark.parametrize(
    "label",
    ["<hlinitialMarking><text>1'a</text></hlinitialMarking>", "<type><structure><usersort/></structure></type>"],
)
def test_high_level_labels_are_refused_whatever_the_type_says(label):
    compiled, diagnostics = read(net_of(f'<place id="p">{label}</place>'))
    assert compiled is None
    assert [d.code for d in diagnostics] == ["P506"]


def test_what_is_left_out_is_said():
    compiled, diagnostics = read(
        net_of(
            '<place id="p"><graphics><position x="1" y="2"/></graphics><toolspecific tool="nupn" version="1"><size><place id="q"/></size></toolspecific></place>',
            '<transition id="t"><rate><value>1.0</value></rate></transition>',
        )
    )
    assert compiled.net.places == ("p",)
    (note,) = diagnostics
    assert (note.code, note.severity) == ("P516", "note")
    assert "positions" in note.message
    assert note.notes == ("what is specific to the tool `nupn`", "`rate`")


def test_what_is_left_out_often_is_said_once():
    _, diagnostics = read(net_of(*(f'<transition id="t{i}"><rate/></transition>' for i in range(3))))
    assert [d.message for d in diagnostics] == ["the net `n` was read without `rate` (3 times)"]


def test_time_left_out_is_a_warning():
    for line in (
        '<place id="q" invariant="&lt;= 5"/>',
        '<arc id="a" source="p" target="t" type="timed" inscription="[2,4]"/>',
    ):
        _, diagnostics = read(net_of(*PT, line))
        assert [(d.code, d.severity) for d in diagnostics] == [("P518", "warning")]


def test_losses_on_writing():
    compiled = taken(net_of(*PT))
    assert losses(compiled) == ()
    assert [d.code for d in losses(compiled._replace(timing=((0, 1.0),)))] == ["P516"]


# -- finding the format ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.pnml", "<pnml/>", "pnml"),
        ("a.xml", "<?xml version='1.0'?>\n<!-- <x> -->\n<p:pnml xmlns:p='u'/>", "pnml"),
        ("a.pnml", "", "pnml"),
        ("a.pnml", "<pnml", "pnml"),
        ("a.placet", "workflow w { }", "placet"),
        ("a.placet", "", "placet"),
        ("a.bpmn", "", "P520"),
        ("a.xml", '<bpmn:definitions xmlns:bpmn="u"/>', "P520"),
        ("a.json", '{"Comment": "x", "StartAt": "A", "States": {}}', "asl"),
        ("a.yaml", "apiVersion: argoproj.io/v1\nkind: Workflow\nspec:\n  templates: []\n", "P520"),
        ("a.yaml", "asyncapi: 3.0.0\n", "P520"),
        ("a.yaml", "# who\n- first:\n    call: http.get\n", "P520"),
        ("a.yaml", "- first:\n    other: 1\n", "P521"),
        ("a.lola", "PLACE p; MARKING p;", "P520"),
        ("a.txt", "hello", "P521"),
        ("a.json", '{"a": 1}', "P521"),
        ("", "", "P521"),
    ],
)
def test_formats_are_found(path, text, expected):
    found = find(SourceFile(path, text))
    assert getattr(found, "code", None) == expected or getattr(found, "name", None) == expected


def test_every_format_has_one_entry():
    assert len({f.name for f in FORMATS}) == len(FORMATS)
    endings = [s for f in FORMATS for s in f.suffixes]
    assert len(set(endings)) == len(endings)


# -- the corpora -----------------------------------------------------------------------------------------------------


def test_industrial_nets(corpora):
    with (corpora / "ibm" / "EXPECTED.csv").open(encoding="utf-8") as rows:
        expected = {row["net"]: (int(row["places"]), int(row["transitions"])) for row in csv.DictReader(rows)}
    wrong = []
    for name, size in expected.items():
        compiled, diagnostics = read(SourceFile(name, (corpora / name).read_text(encoding="utf-8")), final="any-sink")
        if (
            compiled is None
            or (len(compiled.net.places), len(compiled.net.transitions)) != size
            or not compiled.final.ends
        ):
            wrong.append((name, diagnostics))
    assert wrong == []


def test_contest_nets(corpora):
    for path in sorted(corpora.glob("mcc/*/model.pnml"))[::6]:
        compiled = taken(SourceFile(str(path), path.read_text(encoding="utf-8")))
        same(compiled, taken(SourceFile("again.pnml", write(compiled))))
