"""Cada lab, entero, a escala gpu sobre réplicas diminutas: el mismo camino que en una GPU con red.

Cada celda se ejecuta dos veces seguidas y tiene que enseñar lo mismo: con unos pocos pasos de entrenamiento se puede
comprobar con todas. Las réplicas son modelos al azar, así que ningún efecto puede aparecer: las celdas que lo afirman
llevan la etiqueta `efecto` y son las únicas en las que algo puede salir «no». Lo demás son invariantes y se exigen,
aunque se escriban con `claim`, que a esta escala no detiene el cuaderno; salvo las celdas `medida`, que miran el reloj.
"""

import copy
import re
from pathlib import Path

import nbformat
import pytest

from scripts.repeat_labs import is_measure, shown
from scripts.run_labs import code_cells, kernel
from utils.course.env import repo_root

LABS = sorted((repo_root() / "labs").glob("lab-*.ipynb"))


def few_steps(source: str) -> str:
    """Deja en seis los pasos de entrenamiento a escala gpu; lo demás se ejecuta tal cual.

    >>> few_steps("steps, batch_size = by_scale(mini=(300, 16), gpu=(1200, 8))")
    'steps, batch_size = by_scale(mini=(300, 16), gpu=(6, 8))'
    """
    return re.sub(r"(steps\b.*= by_scale\(.*gpu=\(?)\d+", r"\g<1>6", source)


def broken_invariants(cells: list) -> list[str]:
    """Lo que sale «no» en una celda que no afirma ningún efecto ni mide el tiempo.

    >>> broken_invariants([code_cell("claim('La máscara tapa', False)", "La máscara tapa: no")])
    ['La máscara tapa: no']
    """
    free = [c for c in cells if not {"efecto", "medida"} & set(c.metadata.get("tags", []))]
    checks = [c for c in free if re.search(r"^\s*(?:claim|invariant)\(", c.source, re.MULTILINE)]
    text = "".join(output.get("text", "") for cell in checks for output in cell.outputs)
    return re.findall(r"^.+: no$", text, re.MULTILINE)


def code_cell(source: str, text: str, *tags: str):
    """Una celda ejecutada que escribe `text`."""
    output = nbformat.v4.new_output("stream", text=text + "\n")
    return nbformat.v4.new_code_cell(source, outputs=[output], metadata={"tags": list(tags)})


def test_only_a_cell_of_effects_may_say_no():
    false = "claim('x', False)", "x: no"
    assert broken_invariants([code_cell(*false)]) == ["x: no"]
    assert not broken_invariants([code_cell(*false, "efecto"), code_cell(*false, "medida"), code_cell("1", "x: no")])


@pytest.mark.replicas
@pytest.mark.parametrize("path", LABS, ids=lambda path: path.stem)
def test_lab_runs_at_gpu_scale(path: Path, replica_hub: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    once = code_cells(notebook)
    for cell in once:
        cell.update(outputs=[], execution_count=None, source=few_steps(cell.source))
        if "efecto" in cell.metadata.get("tags", []):
            cell.metadata["tags"].append("raises-exception")
    twice = copy.deepcopy(once)
    notebook.cells = [cell for pair in zip(once, twice, strict=True) for cell in pair]
    with kernel(notebook, path.parent, CURSO_ESCALA="gpu", OMP_NUM_THREADS="1") as client:
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
    outputs = [output for cell in notebook.cells for output in cell.outputs]
    errors = [output.ename for output in outputs if output.output_type == "error"]
    assert set(errors) <= {"AssertionError"}, f"{path.name}: {errors}"
    assert not broken_invariants(notebook.cells), f"{path.name}: un invariante no se cumple."
    assert any("gpu" in output.get("text", "") for output in outputs), "la tabla de preparación no dice «gpu»"
    pairs = [(shown(a), shown(b)) for a, b in zip(once, twice, strict=True) if not is_measure(a)]
    changed = [f"{before}\n→\n{after}" for before, after in pairs if before != after]
    assert not changed, f"{path.name}: al repetir una celda cambia lo que enseña.\n" + "\n".join(changed)
