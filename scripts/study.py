"""Un estudio: ejecuciones que no caben en un lab, apuntadas en un CSV que se puede cortar, seguir y comprobar.

Cada `run_*.py` declara el suyo, un `Study`, y todos entienden lo mismo:

    python -m scripts.run_lora                      # hace las que falten; si se corta, sigue donde iba
    python -m scripts.run_lora --lista              # qué hay, con el número de su fila, y qué falta
    python -m scripts.run_lora --repite 3 7         # repite esas filas y las compara con lo apuntado
    python -m scripts.run_lora --solo use=rango seed=0
    python -m scripts.run_lora --minutos 5          # pasado ese tiempo no empieza otra; con 0, hace una

Van en un solo hilo, para que en la misma máquina salga lo mismo hasta la última cifra. Para rehacer una fila, bórrala.

Lo que NO hace: repartir las ejecuciones entre procesos. Que no haya dos escribiendo en la misma tabla.
"""

import argparse
import csv
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

Row = dict[str, str]
#: Una ejecución: una instancia de la dataclass de su estudio.
Run = Any
#: De las filas apuntadas y las repetidas, en el mismo orden, dice qué no coincide, o nada.
Compare = Callable[[list[Row], list[Row]], str]


def near(**tolerance: float) -> Compare:
    """Compara números; el valor de cada columna es lo que puede cambiar, en sus mismas unidades.

    >>> near(loss=0.1)([{"loss": "1.20"}], [{"loss": "1.45"}])
    'loss: apuntado 1.20, ahora 1.45'
    """
    return lambda stored, again: "; ".join(
        f"{column}: apuntado {old[column]}, ahora {new[column]}"
        for old, new in zip(stored, again, strict=True)
        for column, limit in tolerance.items()
        if not abs(float(new[column]) - float(old[column])) <= limit  # así tampoco coincide un NaN
    )


def same(*columns: str) -> Compare:
    """Compara textos: en esas columnas no puede cambiar nada.

    >>> same("failed")([{"failed": ""}], [{"failed": "La caché ahorra"}])
    'failed: apuntado «», ahora «La caché ahorra»'
    """
    return lambda stored, again: "; ".join(
        f"{column}: apuntado «{old[column]}», ahora «{new[column]}»"
        for old, new in zip(stored, again, strict=True)
        for column in columns
        if old[column] != new[column]
    )


def labels(run: Run) -> list[str]:
    """Lo que se ha decidido, como «columna=valor»."""
    return [f"{name}={value:g}" if isinstance(value, float) else f"{name}={value}" for name, value in vars(run).items()]


@dataclass(frozen=True)
class Study:
    """Qué se ejecuta y dónde se apunta.

    csv, columns: la tabla y los nombres de sus columnas, en orden y separados por espacios.
    key: una dataclass congelada con lo que se decide. Cada campo es una columna, de su tipo (str, int o float), y dos
        ejecuciones son la misma si coinciden en todos, salvo los de `field(compare=False)`.
    plan: de las filas apuntadas, todas las ejecuciones que debe haber, hechas o no, en el orden de la tabla.
    execute: hace una y devuelve sus filas, casi siempre una. Las columnas de `key` no hacen falta.
    compare: dice qué no coincide al repetir una ejecución.
    item: la columna que distingue las filas de una misma ejecución, si da varias.
    partial: si la tabla que se guarda puede ir a medias, o no estar; si no, las pruebas la exigen entera.
    """

    csv: Path
    columns: str
    key: type
    plan: Callable[[list[Row]], list[Run]]
    execute: Callable[[Run], list[dict[str, Any]]]
    compare: Compare
    item: str = ""
    partial: bool = False

    def __str__(self) -> str:
        return "/".join(self.csv.parts[-3:])

    def run_of(self, row: Row) -> Run:
        """La ejecución de la que sale una fila."""
        return self.key(**{field.name: field.type(row[field.name]) for field in fields(self.key)})

    def rows(self) -> list[Row]:
        """Las filas apuntadas, como texto; ninguna si no hay tabla. Error si está estropeada o hay repetidas."""
        if not self.csv.exists():
            return []
        with self.csv.open(encoding="utf-8", newline="") as file:
            header, *lines = [*csv.reader(file)] or [[]]
        if header != self.columns.split():
            raise ValueError(f"{self}: las columnas deben ser {self.columns}. Recupera el archivo con git.")
        rows, seen = [], {}
        for number, cells in enumerate(lines, 1):
            try:
                row = dict(zip(header, cells, strict=True))
                identity = self.run_of(row), row.get(self.item)
            except ValueError:
                advice = "está cortada o tiene un número mal escrito. Recupérala con git o bórrala."
                raise ValueError(f"{self}, fila {number}: {advice}") from None
            if seen.setdefault(identity, number) != number:
                raise ValueError(f"{self}, fila {number}: repite la fila {seen[identity]}. Borra una de las dos.")
            rows.append(row)
        return rows

    def results(self, run: Run) -> list[Row]:
        """Hace una ejecución y devuelve sus filas completas. Error si no son suyas: al seguir no se encontrarían."""
        rows = [{name: str(value) for name, value in (vars(run) | row).items()} for row in self.execute(run)]
        if not rows or any(set(row) != set(self.columns.split()) or self.run_of(row) != run for row in rows):
            raise ValueError(f"{run} debe dar filas suyas, con las columnas {self.columns}, y da {rows[:1]}.")
        return rows

    def add(self, run: Run, new: list[Row]) -> None:
        """Apunta las filas de una ejecución en el sitio que le da el plan.

        La tabla se escribe entera y de una vez: si se corta, o están todas las filas nuevas o ninguna.
        """
        rows = self.rows()
        order = {planned: i for i, planned in enumerate(self.plan(rows))}
        later = (i for i, row in enumerate(rows) if order.get(self.run_of(row), -1) > order[run])
        place = next(later, len(rows))
        self.csv.parent.mkdir(parents=True, exist_ok=True)
        temporary = self.csv.with_suffix(".tmp")
        with temporary.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, self.columns.split(), lineterminator="\n")
            writer.writeheader()
            writer.writerows([*rows[:place], *new, *rows[place:]])
        temporary.replace(self.csv)

    def missing(self, wanted: set[str] = frozenset()) -> list[Run]:
        """Las ejecuciones del plan que no están apuntadas y cumplen todas esas condiciones «columna=valor»."""
        rows = self.rows()
        done = set(map(self.run_of, rows))
        return [run for run in self.plan(rows) if run not in done and wanted.issubset(labels(run))]


def run_missing(study: Study, wanted: set[str], minutes: float) -> None:
    """Hace lo que falta. Tras cada ejecución se vuelve a mirar el plan, que puede depender de lo que ha salido."""
    started = time.monotonic()
    with tqdm(unit="ejecución") as bar:
        while pending := study.missing(wanted):
            run, bar.total = pending[0], bar.n + len(pending)
            bar.set_description(" ".join(labels(run)))
            study.add(run, study.results(run))
            bar.update()
            tqdm.write(f"hecho     {' '.join(labels(run))}")
            if time.monotonic() - started >= 60 * minutes:
                break


def show(study: Study, rows: list[Row], wanted: set[str]) -> None:
    """Enseña el plan, cada ejecución con el número de su primera fila, y lo apuntado que no está en él."""
    first, planned = {}, dict.fromkeys(study.plan(rows))
    for number, row in enumerate(rows, 1):
        first.setdefault(study.run_of(row), number)
    for run in planned | first:
        if wanted.issubset(labels(run)):
            state = f"fila {first[run]}" if run in first else "falta"
            print(f"{state:<9} {' '.join(labels(run))}{'' if run in planned else ' (fuera del plan)'}")


def repeat(study: Study, rows: list[Row], number: int) -> str:
    """Repite la ejecución de la fila `number`, desde 1, dice cómo ha salido y devuelve lo que no coincide."""
    run = study.run_of(rows[number - 1])
    stored, again = [row for row in rows if study.run_of(row) == run], study.results(run)
    if len(stored) != len(again):
        problem = verdict = f"hay {len(stored)} filas apuntadas y ahora salen {len(again)}"
    else:
        changed = [c for c in study.columns.split() if [row[c] for row in stored] != [row[c] for row in again]]
        problem = study.compare(stored, again)
        verdict = f"{problem or 'coincide'} (cambia: {', '.join(changed) or 'nada'})"
    print(f"fila {number:<4} {' '.join(labels(run))}: {verdict}", flush=True)
    return problem


def main(study: Study, arguments: list[str] | None = None) -> int:
    """La línea de órdenes. Devuelve 1 si al repetir algo no coincide."""
    parser = argparse.ArgumentParser(description=f"Hace las ejecuciones que faltan en {study}.")
    parser.add_argument("--lista", action="store_true", help="enseña qué hay y qué falta, sin hacer nada")
    parser.add_argument("--repite", type=int, nargs="+", default=[], metavar="FILA", help="repite filas y las compara")
    parser.add_argument("--solo", nargs="+", default=[], metavar="COLUMNA=VALOR", help="solo lo que lo cumpla todo")
    parser.add_argument("--minutos", type=float, default=float("inf"), help="pasado ese tiempo no empieza otra")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    try:
        rows, wanted = study.rows(), set(options.solo)
    except ValueError as error:
        sys.exit(str(error))
    if absent := [number for number in options.repite if not 1 <= number <= len(rows)]:
        sys.exit(f"La fila {absent[0]} no existe: hay {len(rows)} en {study}.")
    if not any(wanted.issubset(labels(run)) for run in [*study.plan(rows), *map(study.run_of, rows)]):
        sys.exit(f"Nada cumple {' '.join(options.solo)}: mira con --lista cómo se escribe.")
    if options.lista:
        show(study, rows, wanted)
    elif options.repite:
        return int(any([repeat(study, rows, number) for number in options.repite]))
    else:
        run_missing(study, wanted, options.minutos)
    return 0
