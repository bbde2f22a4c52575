"""Every notebook runs from top to bottom in a real kernel, and what should show itself does."""

from __future__ import annotations

import os
import sys

import pytest

from conftest import CHECKOUT

NOTEBOOKS = sorted((CHECKOUT / "notebooks").glob("*.ipynb"))


def execute(notebook, folder):
    client = pytest.importorskip("nbclient").NotebookClient
    manager = pytest.importorskip("ipykernel.kernelspec")
    work = folder / "kernels" / "kernels" / "placet-tests"
    manager.write_kernel_spec(str(work), overrides={"argv": [sys.executable, *manager.make_ipkernel_cmd()[1:]]})
    before = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = str(folder / "kernels")
    try:
        client(
            notebook, timeout=180, kernel_name="placet-tests", resources={"metadata": {"path": str(folder)}}
        ).execute()
    finally:
        if before is None:
            del os.environ["JUPYTER_PATH"]
        else:
            os.environ["JUPYTER_PATH"] = before
    return notebook


def outputs(notebook):
    return [list(o.data) for cell in notebook.cells if cell.cell_type == "code" for o in cell.outputs if "data" in o]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_notebook(path, tmp_path):
    nbformat = pytest.importorskip("nbformat")
    notebook = execute(nbformat.read(path, as_version=4), tmp_path)
    assert all(not cell.get("outputs") for cell in nbformat.read(path, as_version=4).cells), (
        "keep outputs out of the file"
    )
    shown = outputs(notebook)
    assert ["text/html", "text/plain"] in [sorted(kinds) for kinds in shown]
    assert ["image/svg+xml", "text/plain"] in [sorted(kinds) for kinds in shown]


@pytest.mark.filterwarnings("ignore")
def test_what_a_notebook_shows(tmp_path):
    nbformat = pytest.importorskip("nbformat")
    code = [
        "import placet; from placet.net.builder import NetBuilder\nb = NetBuilder('x'); p = b.place('p', 1); b.transition('t', {p: 1}, {})\nb.build()[0]",
        "import sys; print('placet.draw.svg' in sys.modules, 'numpy' in sys.modules)",
        "%load_ext placet.notebook\nplacet.Inconclusive('too <b>large</b>')",
        "%unload_ext placet.notebook\nb.build()[0]",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in code])
    first, second, third, fourth = execute(notebook, tmp_path).cells
    assert first.outputs[0].data["image/svg+xml"].startswith("<svg")
    assert first.outputs[0].data["text/plain"] == "Net 'x': 1 places, 1 transitions"
    assert second.outputs[0].text == "True False\n"
    assert "too &lt;b&gt;large&lt;/b&gt;" in third.outputs[0].data["text/html"]
    assert "image/svg+xml" not in fourth.outputs[0].data


def test_importing_placet_imports_no_drawing():
    code = "import placet, sys; placet.Net; print([m for m in sys.modules if m.startswith(('placet.draw', 'placet.notebook', 'IPython'))])"
    import subprocess

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
