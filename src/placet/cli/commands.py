"""What the commands are called and where they live, without loading any of them.

`placet --help` prints this table and nothing else, so that it costs no more than Python itself.
"""

from __future__ import annotations

import sys

COMMANDS = {
    "verify": "Check models: the main job.",
    "init": "Start a project: sidecars, configuration, the job of CI.",
    "replay": "Replay the counterexamples of a report in JSON.",
    "recheck": "Check the evidence that `verify --certificate` wrote.",
    "explain": "What a check or a diagnostic means, and what to do.",
    "explore": "Count the state space, or walk through it step by step.",
    "conform": "Hold recorded runs against a model.",
    "coverage": "What a saga owes under faults: table, matrix, experiments.",
    "advise": "Which changes would make a saga survive more, each verified.",
    "annotate": "Draft what an imported definition does not say of itself.",
    "draft": "Propose a model of recorded runs.",
    "simulate": "Run a model at random, told in your words.",
    "draw": "Draw the net as DOT, Mermaid or SVG.",
    "machine": "Write the state machine of a coordinator for other tools.",
    "fmt": "Lay out models in the language, comments kept.",
    "convert": "Translate a model to another format.",
    "lsp": "Serve an editor: diagnostics, names, completion, verdicts.",
    "mcc": "Answer an examination of the Model Checking Contest.",
    "completion": "Print the completion script of a shell.",
}

_HEAD = """\
Usage: placet [OPTIONS] COMMAND [ARGS]...

  Proves or refutes that a workflow or saga cannot get stuck, lose money or
  half-undo.

Options:
  --version   Show the version and exit.
  --debug     Show the traceback of a fault in placet.
  -h, --help  Show this message and exit.

Commands:
"""

_TAIL = """
  placet verify models/           check every model below a folder
  placet verify order.placet      check one
  placet COMMAND --help           the options of a command
"""


def overview() -> str:
    """The page that `placet --help` prints."""
    width = max(map(len, COMMANDS))
    return _HEAD + "".join(f"  {name:{width}}  {text}\n" for name, text in COMMANDS.items()) + _TAIL


def version() -> str:
    """What `placet --version` prints; the package itself is asked, which is loaded whenever a part of it is."""
    return f"placet {sys.modules['placet'].__version__}"
