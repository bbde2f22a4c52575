"""`placet fmt -`: standard input to standard output, as a process."""

from __future__ import annotations

import subprocess
import sys

import pytest

MESSY = "workflow   order { task pack # in the hall\n   end delivered; }\n"
NEAT = "workflow order {\n  task pack  # in the hall\n  end delivered\n}\n"


def fmt(given, *options):
    command = [sys.executable, "-m", "placet", "fmt", *options, "-"]
    done = subprocess.run(command, input=given, capture_output=True, check=False)
    return done.returncode, done.stdout.decode().replace("\r\n", "\n"), done.stderr.decode()


def test_a_text_goes_through():
    assert fmt(MESSY.encode()) == (0, NEAT, "")
    assert fmt(NEAT.encode()) == (0, NEAT, "")


def test_check_and_diff_print_no_text():
    assert fmt(MESSY.encode(), "--check") == (1, "", "")
    assert fmt(NEAT.encode(), "--check") == (0, "", "")
    status, shown, _ = fmt(MESSY.encode(), "--diff")
    assert status == 1
    assert shown.startswith("--- -\n+++ - (formatted)\n")
    assert "+  end delivered\n" in shown


@pytest.mark.parametrize(
    ("given", "code"), [(b"workflow { task", "P101"), (b"\xff\xfe\xff", "P605"), (b"a\0b", "P606")]
)
def test_what_is_no_model_is_told_and_nothing_is_printed(given, code):
    status, shown, told = fmt(given)
    assert (status, shown) == (2, "")
    assert code in told


def test_a_text_without_a_last_line_end_shows_that():
    assert "\\ No newline at end of file" in fmt(NEAT.rstrip("\n").encode(), "--diff")[1]
