from __future__ import annotations

import pytest

from placet.project.configuration import Configuration, load, parse
from placet.source import SourceFile


def parsed(text: str, path: str = "placet.toml"):
    return parse(SourceFile(path, text))


def problems(text: str, path: str = "placet.toml") -> list[tuple[str, int, str, str]]:
    found = parsed(text, path)[1]
    assert all(d.severity == "error" and d.span is not None for d in found)
    return [(d.code, d.span.line, d.span.text, d.help) for d in found]


WHOLE = """
format = "concise"
checks = ["sound", "safe"]
exclude = ["*/broken"]
faults = ["lost"]
fault_budget = 2
transient = true
level = "L2"
final = "any-sink"
closed = true
strict = false
jobs = 4
[budget]
states = 5
seconds = 1.5
mb = 7
"""


def test_every_setting_in_both_files():
    want = Configuration(
        "x",
        "concise",
        ("sound", "safe"),
        ("*/broken",),
        ("lost",),
        2,
        True,
        "L2",
        "any-sink",
        True,
        False,
        4,
        5,
        1.5,
        7,
    )
    assert parsed(WHOLE) == (want._replace(path="placet.toml"), ())
    inside = "[tool.placet]" + WHOLE.replace("[budget]", "[tool.placet.budget]")
    assert parsed(inside, "pyproject.toml") == (want._replace(path="pyproject.toml"), ())


def test_the_test_names_every_setting():
    assert all(f"{name.removeprefix('budget_')} = " in WHOLE for name in Configuration._fields if name != "path")


def test_unknown_keys_are_located_and_the_near_one_is_named():
    assert problems('formt = "text"\nzzz = 1') == [
        ("P611", 1, "formt", "did you mean `format`?"),
        ("P611", 2, "zzz", problems("zzz = 1")[0][3]),
    ]
    assert "`budget`" in problems("zzz = 1")[0][3]


def test_the_key_of_another_table_is_not_pointed_at():
    text = "[tool.other]\nformt = 1\n[tool.placet]\nformt = 1\n[tool.placet.budget]\nstate = 3\n"
    assert problems(text, "pyproject.toml") == [
        ("P611", 4, "formt", "did you mean `format`?"),
        ("P611", 6, "state", "did you mean `states`?"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        'format = "pdf"',
        "format = 3",
        'checks = "sound"',
        "checks = [1]",
        "exclude = [[]]",
        "fault_budget = 0",
        "fault_budget = true",
        'transient = "yes"',
        'level = "L9"',
        'final = "all"',
        "jobs = -1",
        "jobs = 1.5",
        "budget = 3",
    ],
)
def test_wrong_values(line):
    assert [(c, n, t) for c, n, t, _ in problems(f"# a comment\n{line}")] == [("P612", 2, line.split(" ")[0])]


@pytest.mark.parametrize("line", ["states = 0", 'states = "many"', "seconds = -1", "mb = 1.5", "seconds = false"])
def test_wrong_budgets(line):
    assert [(c, n, t) for c, n, t, _ in problems(f"[budget]\n{line}")] == [("P612", 2, line.split(" ")[0])]


def test_the_good_settings_survive_the_bad_ones():
    configuration, found = parsed('level = "L9"\njobs = 3')
    assert configuration.jobs == 3
    assert len(found) == 1


def test_not_toml():
    assert [(c, n) for c, n, _, _ in problems('format = "text\njobs = 3')] == [("P610", 1)]
    assert [(c, n) for c, n, _, _ in problems("jobs = 3\njobs = 4\n")] == [("P610", 2)]
    assert [c for c, *_ in problems("a = " + "[" * 5000)] == ["P610"]


def test_tables_that_are_none():
    assert [c for c, *_ in problems("[tool]\nplacet = 3", "pyproject.toml")] == ["P612"]
    assert [c for c, *_ in problems("tool = 3 # tool.placet", "pyproject.toml")] == ["P612"]


@pytest.fixture
def project(tmp_path, monkeypatch):
    (tmp_path / ".git").mkdir()
    (tmp_path / "a/b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a/b")
    return tmp_path


def test_the_nearest_file_counts(project):
    assert load() == (Configuration(), ())
    (project / "pyproject.toml").write_text("[tool.placet]\njobs = 2\n")
    assert load()[0].jobs == 2
    (project / "a/pyproject.toml").write_text("[tool.other]\njobs = 3\n")
    assert load()[0].jobs == 2
    (project / "a/placet.toml").write_text("jobs = 4\n")
    assert load()[0].jobs == 4
    assert load()[0].exclusion.root == ".."
    (project / "a/b/pyproject.toml").write_text("[tool.placet]\njobs = 5\n")
    assert load()[0].jobs == 5
    (project / "a/b/placet.toml").write_text("jobs = 6\n")
    assert load()[0].jobs == 6


def test_nothing_above_the_repository_counts(project):
    (project / "placet.toml").write_text("jobs = 2\n")
    (project / "a/.git").mkdir()
    assert load() == (Configuration(), ())


def test_without_a_repository_only_the_working_folder_counts(project):
    (project / ".git").rmdir()
    (project / "placet.toml").write_text("jobs = 2\n")
    assert load() == (Configuration(), ())
    (project / "a/b/placet.toml").write_text("jobs = 3\n")
    assert load()[0].jobs == 3


def test_a_file_that_is_not_text_is_a_diagnostic(project):
    (project / "placet.toml").write_bytes(b"\xff")
    assert [d.code for d in load()[1]] == ["P605"]


def test_the_page_shows_every_setting_and_is_right(checkout):
    page = (checkout / "docs" / "configuration.md").read_text(encoding="utf-8")
    (example,) = [part.partition("```")[0] for part in page.split("```toml\n")[1:]]
    configuration, found = parsed(example)
    assert found == ()
    assert None not in configuration
