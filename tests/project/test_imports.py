"""Imports: declarations of other files, each read once, none from outside of the project."""

from __future__ import annotations

import pytest

from placet.pipeline import check, load


@pytest.fixture
def project(tmp_path):
    """Writes files into a project, and loads one of them."""
    (tmp_path / "in" / ".git").mkdir(parents=True)

    def write(path, text):
        target = tmp_path / "in" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        return target

    return write


def problems(loaded):
    return [
        (d.code, d.span.source.path.rsplit("/", 1)[-1] if d.span else "")
        for d in loaded.diagnostics
        if d.severity == "error"
    ]


MAIN = """import "shared/data.placet"
import "shared/services.placet"
workflow order { choice { when stock >= N { task take sets stock = stock - N } otherwise { end sold_out } } }
saga pay { step charge on payments { undo refund; timeout 3s } }
check never(order.failed)
"""


def test_what_other_files_declare_is_known(project):
    project(
        "shared/services.placet", 'import "data.placet"\nservice payments { idempotent; null_safe }\nsystem other\n'
    )
    project(
        "shared/data.placet",
        "param N = 1\nvar stock : 0..2 = any\nworkflow unseen { task a }\ncheck never(unseen.completed)\n",
    )
    loaded = load(project("main.placet", MAIN))
    assert problems(loaded) == []
    assert [(c.label, c.outcome) for m in check(loaded).models for c in m.checks] == [("never(order.failed)", "proved")]


def test_problems_are_located_in_the_file_that_has_them(project):
    project("shared/services.placet", "service payments { idempotnt }\n")
    project("shared/data.placet", "param N = 1\nvar stock : 0..2 = many\n")
    assert set(problems(load(project("main.placet", MAIN)))) >= {("P260", "data.placet"), ("P102", "services.placet")}


@pytest.mark.parametrize(
    "path", ["/etc/hostname", "../out.placet", "link.placet", "sub/../../out.placet", "nowhere.placet", "c:/x.placet"]
)
def test_paths_that_lead_nowhere_or_out_of_the_project(project, path, tmp_path):
    (tmp_path / "out.placet").write_text("service payments\n", encoding="utf-8")
    main = project("main.placet", f'import "{path}"\nworkflow w {{ task a }}\n')
    (main.parent / "link.placet").symlink_to(tmp_path / "out.placet")
    assert problems(load(main)) == [("P613", "main.placet")]


def test_circles(project):
    project("b.placet", 'import "a.placet"\nservice b\n')
    assert problems(load(project("a.placet", 'import "b.placet"\nworkflow w { task a on b }\n'))) == [
        ("P613", "b.placet")
    ]
    assert problems(load(project("c.placet", 'import "c.placet"\nworkflow w { task a }\n'))) == [("P613", "c.placet")]


def test_a_long_chain_needs_no_stack(project):
    for i in range(400):
        project(f"f{i}.placet", f'import "f{i + 1}.placet"\nservice s{i}\n')
    project("f400.placet", "service last\n")
    loaded = load(project("main.placet", 'import "f0.placet"\nworkflow w { task a on last task b on s399 }\n'))
    assert problems(loaded) == []
