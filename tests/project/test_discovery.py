from __future__ import annotations

import os
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from placet.project.discovery import VENDORED, discover
from placet.project.exclusion import Exclusion, matcher


def grow(root: Path, *paths: str) -> None:
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("net n { place p = 1 }")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def files(*paths: str, **more: object) -> list[str]:
    found = discover(paths, **more)  # type: ignore[arg-type]
    assert not [d for d in found.diagnostics if d.severity == "error"]
    return list(found.files)


def codes(*paths: str) -> list[tuple[str, str]]:
    return [(d.code, d.path) for d in discover(paths).diagnostics]


def test_a_folder_is_walked_by_name_and_keeps_the_path_as_given(here):
    grow(here, "m/b.placet", "m/a/z.pnml", "m/a/y.placet", "m/c.txt", "m/A.placet", "m/d.PNML")
    want = ["m/A.placet", "m/a/y.placet", "m/a/z.pnml", "m/b.placet", "m/d.PNML"]
    assert files("m") == want
    assert files("m/") == want
    assert files("./m") == [f"./{p}" for p in want]
    assert files(str(here / "m")) == [str(here / p) for p in want]


def test_hidden_and_vendored_folders_are_skipped_unless_named(here):
    grow(here, "m/.git/a.placet", "m/.hidden.placet", "m/x.placet", *(f"m/{v}/a.placet" for v in VENDORED))
    assert files("m") == ["m/x.placet"]
    assert files("m/node_modules") == ["m/node_modules/a.placet"]
    assert files("m/.hidden.placet") == ["m/.hidden.placet"]


def test_files_named_twice_are_taken_once_under_their_first_name(here):
    grow(here, "m/a.placet", "m/b.placet")
    assert files("m/b.placet", "./m", "m/../m/a.placet") == ["m/b.placet", "./m/a.placet"]


def test_each_folder_without_models_is_said(here):
    grow(here, "full/a.placet", "empty/readme.txt")
    (here / "void").mkdir()
    assert codes("empty", "full", "void") == [("P601", "empty"), ("P601", "void")]


def test_a_folder_whose_models_were_named_before_is_not_empty(here):
    grow(here, "m/a.placet")
    assert codes("m/a.placet", "m") == []


def test_patterns(here):
    grow(here, "m/a.placet", "m/deep/er/b.placet", "m/deep/.x/c.placet", "m/readme.md")
    assert files("m/*.placet") == ["m/a.placet"]
    assert files("m/**/*.placet") == ["m/a.placet", "m/deep/er/b.placet"]
    assert files("m/*") == ["m/a.placet", "m/deep/er/b.placet"]
    assert codes("m/*.bpmn") == [("P601", "m/*.bpmn")]


def test_a_file_with_the_characters_of_a_pattern_is_a_file(here):
    grow(here, "m/a[1].placet")
    assert files("m/a[1].placet") == ["m/a[1].placet"]


def test_missing_files_and_files_of_any_name_are_left_to_the_reader(here):
    assert files("no.placet", "readme.md") == ["no.placet", "readme.md"]


def test_links_out_of_the_folder_are_told_and_not_followed(here):
    grow(here, "m/a.placet", "out/b.placet", "m/sub/c.placet")
    (here / "m/away").symlink_to(here / "out")
    (here / "m/away.placet").symlink_to(here / "out/b.placet")
    (here / "m/round").symlink_to(here / "m")
    (here / "m/twice").symlink_to(here / "m/sub")
    (here / "m/dangling.placet").symlink_to(here / "m/nothing")
    found = discover(["m"])
    assert found.files == ("m/a.placet", "m/sub/c.placet")
    assert [(d.code, d.severity, d.path) for d in found.diagnostics] == [
        ("P607", "note", "m/away"),
        ("P607", "note", "m/away.placet"),
    ]
    assert files("m/away") == ["m/away/b.placet"]


def test_a_sibling_folder_with_the_same_beginning_is_outside(here):
    grow(here, "m/a.placet", "moon/b.placet")
    (here / "m/link").symlink_to(here / "moon")
    assert files("m") == ["m/a.placet"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_folder_that_cannot_be_read(here):
    grow(here, "m/a.placet", "m/shut/b.placet")
    (here / "m/shut").chmod(0)
    try:
        found = discover(["m"])
    finally:
        (here / "m/shut").chmod(0o755)
    assert found.files == ("m/a.placet",)
    assert [d.code for d in found.diagnostics] == ["P603"]


def test_a_very_deep_folder(here):
    deep = "m/" + "d/" * 300
    Path(deep).mkdir(parents=True)
    Path(deep, "a.placet").write_text("")
    assert files("m") == [deep + "a.placet"]


def test_exclusion_prunes_what_a_walk_meets_and_never_what_is_named(here):
    grow(here, "m/x/model.placet", "m/x/broken/a.placet", "m/x/broken/b/c.placet")
    exclusion = Exclusion(("m/*/broken",))
    assert files("m", exclusion=exclusion) == ["m/x/model.placet"]
    assert files("m/x/broken", exclusion=exclusion) == ["m/x/broken/a.placet", "m/x/broken/b/c.placet"]
    assert files("m/x/broken/a.placet", exclusion=exclusion) == ["m/x/broken/a.placet"]


def test_a_placet_toml_met_on_the_walk_excludes_below_its_folder(here):
    grow(here, "m/x/model.placet", "m/x/broken/a.placet", "other/x/broken/a.placet")
    (here / "m/placet.toml").write_text('exclude = ["*/broken"]')
    assert files(".") == ["./m/x/model.placet", "./other/x/broken/a.placet"]
    assert files("m") == ["m/x/model.placet"]
    assert files("m/x") == ["m/x/model.placet"]
    assert files("m/x/broken") == ["m/x/broken/a.placet"]


@pytest.mark.parametrize(
    ("pattern", "excluded", "kept"),
    [
        ("broken", ["broken", "a/broken", "a/b/broken"], ["broken2", "a/unbroken", "broken/x"]),
        ("/broken", ["broken"], ["a/broken"]),
        ("a/*", ["a/b", "a/c.placet"], ["a", "a/b/c", "x/a/b"]),
        ("a/**", ["a/b", "a/b/c"], ["a", "b"]),
        ("**/x/*.pnml", ["x/a.pnml", "p/x/a.pnml", "p/q/x/a.pnml"], ["x/y/a.pnml", "x/a.placet", "xx/a.pnml"]),
        ("?.placet", ["a.placet", "z/b.placet"], ["ab.placet"]),
        ("a+b(1)", ["a+b(1)"], ["aab1"]),
    ],
)
def test_patterns_of_exclusion(here, pattern, excluded, kept):
    test = matcher(Exclusion((pattern,)))
    assert [p for p in excluded + kept if test(p)] == excluded


@given(
    st.lists(st.sampled_from("ab*?"), min_size=1, max_size=5), st.lists(st.sampled_from("ab"), min_size=1, max_size=5)
)
def test_a_pattern_for_one_name_agrees_with_fnmatch(pattern, name):
    pattern, name = "".join(pattern), "".join(name)
    if "**" not in pattern:
        assert matcher(Exclusion((pattern,)))(f"x/{name}") == fnmatchcase(PurePosixPath(name).name, pattern)
