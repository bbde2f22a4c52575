from __future__ import annotations

import os

import pytest

from placet.project import reading
from placet.project.reading import read


def problem(path) -> tuple[str, str]:
    source, diagnostics = read(str(path))
    assert source is None
    (only,) = diagnostics
    assert only.severity == "error"
    return only.code, only.message


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"", ""),
        ("net n {}\r\n\u00e9\U0001f600".encode(), "net n {}\r\n\u00e9\U0001f600"),
        (b"\xef\xbb\xbfnet", "net"),
        ("n\u00e9t".encode("utf-16"), "n\u00e9t"),
        (b"\xfe\xff" + "n\u00e9t".encode("utf-16-be"), "n\u00e9t"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?>\xe9', '<?xml version="1.0" encoding="ISO-8859-1"?>\u00e9'),
        (
            b"<?xml version='1.0' encoding = 'windows-1252'?>\x80",
            "<?xml version='1.0' encoding = 'windows-1252'?>\u20ac",
        ),
        (b"<?xml version='1.0' encoding='utf-7'?>+AOk-", "<?xml version='1.0' encoding='utf-7'?>+AOk-"),
    ],
)
def test_text(tmp_path, raw, text):
    file = tmp_path / "m.placet"
    file.write_bytes(raw)
    source, diagnostics = read(str(file))
    assert diagnostics == ()
    assert source is not None
    assert (source.path, source.text) == (str(file), text)


def test_missing_and_not_files(tmp_path):
    assert problem(tmp_path / "no.placet")[0] == "P602"
    assert problem(tmp_path)[0] == "P603"
    assert problem("a\0b") == ("P603", "`a\0b` cannot be read: embedded null byte")
    (tmp_path / "f").write_text("x")
    assert problem(tmp_path / "f" / "below")[0] == "P603"
    os.mkfifo(tmp_path / "pipe")
    assert problem(tmp_path / "pipe")[1].endswith("is no regular file")
    assert problem("/dev/zero")[0] == "P603"
    (tmp_path / "round").symlink_to(tmp_path / "round")
    assert problem(tmp_path / "round")[0] == "P603"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_not_permitted(tmp_path):
    file = tmp_path / "m.placet"
    file.write_text("x")
    file.chmod(0)
    assert problem(file) == ("P603", f"`{file}` cannot be read: permission denied")


def test_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "MOST_BYTES", 100)
    file = tmp_path / "m.placet"
    file.write_bytes(b"x" * 100)
    assert read(str(file))[0] is not None
    file.write_bytes(b"x" * 101)
    assert problem(file)[0] == "P604"


def test_a_file_of_the_size_limit_is_not_read(tmp_path):
    file = tmp_path / "m.placet"
    with file.open("wb") as out:
        out.truncate(reading.MOST_BYTES + 1)  # a sparse file: nothing on the disk
    assert problem(file) == ("P604", f"`{file}` is larger than 64 MB")


def test_not_text_points_at_the_byte(tmp_path):
    file = tmp_path / "m.placet"
    file.write_bytes("é\nab".encode() + b"\xff\xc3cd")
    _, (found,) = read(str(file))
    assert (found.code, found.message) == ("P605", "byte 0xff is not UTF-8 text")
    assert found.span is not None
    assert (found.span.line, found.span.column) == (2, 3)


def test_a_nul_byte_points_at_it(tmp_path):
    file = tmp_path / "m.placet"
    file.write_bytes(b"net n {\n\0}")
    _, (found,) = read(str(file))
    assert found.code == "P606"
    assert found.span is not None
    assert (found.span.line, found.span.column) == (2, 1)
