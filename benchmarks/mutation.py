"""Changes one line at a time in the code that verdicts rest on, and sees whether a test fails.

    python benchmarks/mutation.py [--each 12] [--seed 1] [PATTERN ...]

Every mutant is run against the tests of its room, in a copy of the checkout. Prints the mutants that no test killed; a
survivor is either an equivalent change (say why, beside it) or a missing test.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent

# file or folder below src/placet -> tests that must notice
TARGETS = {
    "net/firing.py": ["tests/analysis/test_replay.py", "tests/engines", "tests/test_models.py"],
    "net/observer.py": ["tests/engines", "tests/test_models.py"],
    "net/final.py": ["tests/test_models.py", "tests/analysis/test_checks.py", "tests/compile"],
    "logic/state.py": ["tests/logic", "tests/engines", "tests/analysis/test_checks.py"],
    "engines": ["tests/engines", "tests/analysis/test_checks.py"],
    "analysis/reduction": ["tests/analysis/reduction"],
    "analysis/replay.py": ["tests/analysis/test_replay.py"],
    "analysis/strategy.py": [
        "tests/analysis/test_strategy.py",
        "tests/analysis/test_checks.py",
        "tests/analysis/test_any_sink.py",
    ],
    "analysis/easy.py": [
        "tests/analysis/test_checks.py",
        "tests/analysis/test_home.py",
        "tests/analysis/test_check_pages.py",
    ],
    "analysis/home.py": ["tests/analysis/test_home.py", "tests/analysis/test_check_pages.py"],
    "analysis/liveness_levels.py": ["tests/analysis/test_free_choice.py"],
    "analysis/levels.py": ["tests/analysis/test_levels.py"],
    "analysis/conserved.py": ["tests/analysis/test_conserved.py"],
    "analysis/counting.py": ["tests/analysis/test_counting.py"],
    "analysis/several_runs.py": ["tests/analysis/test_several_runs.py"],
    "analysis/one_token.py": ["tests/analysis/test_one_token.py"],
    "analysis/state_equation.py": ["tests/analysis/test_state_equation.py"],
    "analysis/backward.py": ["tests/analysis/test_backward.py"],
    "analysis/coverability.py": ["tests/analysis/test_boundedness.py", "tests/analysis/test_backward.py"],
    "analysis/free_choice.py": ["tests/analysis/test_free_choice.py"],
    "analysis/invariants.py": ["tests/analysis/test_invariants.py"],
    "analysis/temporal": ["tests/analysis/temporal", "tests/analysis/test_formulas.py"],
    "analysis/replay_formulas.py": ["tests/analysis/temporal", "tests/analysis/test_formulas.py"],
    "analysis": [
        "tests/analysis/test_structure.py",
        "tests/analysis/test_liveness.py",
        "tests/analysis/test_dead_steps.py",
        "tests/analysis/test_boundedness.py",
        "tests/analysis/test_soundness.py",
        "tests/analysis/test_any_sink.py",
        "tests/analysis/test_company.py",
        "tests/analysis/test_strategy.py",
        "tests/analysis/test_checks.py",
        "tests/analysis/test_replay.py",
        "tests/analysis/test_check_pages.py",
    ],
    "faults": ["tests/faults", "tests/compile", "tests/test_models.py"],
    "compile": ["tests/compile", "tests/test_models.py"],
}

SWAP = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
CALLS = {"any": "all", "all": "any", "min": "max", "max": "min"}


def mutations(tree: ast.Module) -> list[tuple[int, str]]:
    """(number, what) for every change that `apply` can make, in walking order."""
    found = []
    # `strict=` of zip says what is so anyway
    aside = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.keyword) and n.arg == "strict"}
    for number, node in enumerate(ast.walk(tree)):
        if id(node) in aside:
            continue
        if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAP:
            found.append(
                (number, f"line {node.lineno}: {type(node.ops[0]).__name__} -> {SWAP[type(node.ops[0])].__name__}")
            )
        elif isinstance(node, ast.BoolOp):
            found.append((number, f"line {node.lineno}: and <-> or"))
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            found.append((number, f"line {node.lineno}: not dropped"))
        elif isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Sub)):
            found.append((number, f"line {node.lineno}: + <-> -"))
        elif isinstance(node, ast.AugAssign) and isinstance(node.op, (ast.Add, ast.Sub)):
            found.append((number, f"line {node.lineno}: += <-> -="))
        elif isinstance(node, ast.Constant) and type(node.value) is bool:
            found.append((number, f"line {node.lineno}: {node.value} -> {not node.value}"))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in CALLS:
            found.append((number, f"line {node.lineno}: {node.func.id} -> {CALLS[node.func.id]}"))
        elif isinstance(node, ast.Continue):
            found.append((number, f"line {node.lineno}: continue -> pass"))
    return found


def apply(source: str, number: int) -> str:
    """The source with mutation `number`, unparsed."""
    tree = ast.parse(source)
    for at, node in enumerate(ast.walk(tree)):
        if at != number:
            continue
        if isinstance(node, ast.Compare):
            node.ops[0] = SWAP[type(node.ops[0])]()
        elif isinstance(node, ast.BoolOp):
            node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        elif isinstance(node, ast.UnaryOp):
            node.op, node.operand = ast.Not(), ast.UnaryOp(ast.Not(), node.operand)
        elif isinstance(node, (ast.BinOp, ast.AugAssign)):
            node.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()
        elif isinstance(node, ast.Constant):
            node.value = not node.value
        elif isinstance(node, ast.Call):
            assert isinstance(node.func, ast.Name)
            node.func.id = CALLS[node.func.id]
        elif isinstance(node, ast.Continue):
            for parent in ast.walk(tree):
                for field in ("body", "orelse"):
                    block = getattr(parent, field, None)
                    if isinstance(block, list) and node in block:
                        block[block.index(node)] = ast.Pass()
    return ast.unparse(ast.fix_missing_locations(tree))


def killed(work: Path, tests: list[str], timeout: float) -> bool:
    """Whether the tests fail (or hang) on the copy."""
    present = [t for t in tests if (work / t).exists()]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-q",
        "--no-header",
        "-p",
        "no:cacheprovider",
        "-m",
        "not editable",
        *present,
    ]
    env = dict(os.environ, PYTHONPATH=str(work / "src"), PYTHONDONTWRITEBYTECODE="1", PLACET_CORPORA="/nonexistent")
    try:
        return (
            subprocess.run(command, cwd=work, env=env, capture_output=True, timeout=timeout, check=False).returncode
            != 0
        )
    except subprocess.TimeoutExpired:
        return True


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pattern", nargs="*", help="only files whose path contains one of these")
    parser.add_argument("--each", type=int, default=12, help="mutants a file")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=240)
    options = parser.parse_args()
    work = Path(tempfile.mkdtemp()) / "placet"
    shutil.copytree(
        CHECKOUT, work, ignore=shutil.ignore_patterns(".git", ".venv", "__pycache__", ".*_cache", ".hypothesis")
    )
    total = survived = 0
    seen: set[Path] = set()
    for target, tests in TARGETS.items():
        root = CHECKOUT / "src" / "placet" / target
        for path in [root] if root.suffix else sorted(root.rglob("*.py")):
            name = path.relative_to(CHECKOUT)
            if path in seen or (options.pattern and not any(p in str(name) for p in options.pattern)):
                continue
            seen.add(path)
            source = path.read_text()
            found = mutations(ast.parse(source))
            for number, what in sorted(random.Random(options.seed).sample(found, min(options.each, len(found)))):
                (work / name).write_text(apply(source, number))
                dead = killed(work, tests, options.timeout)
                total += 1
                survived += not dead
                print(f"{'killed  ' if dead else 'SURVIVED'} {name} {what}", flush=True)
            (work / name).write_text(source)
    print(f"{total} mutants, {total - survived} killed, {survived} survived")
    return 0


if __name__ == "__main__":
    sys.exit(main())
