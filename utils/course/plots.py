"""El estilo de las figuras del curso y los dos dibujos que todos los labs necesitan.

Las figuras son SVG con tinta oscura. Las de los capítulos son transparentes, y el sitio las invierte en modo oscuro;
las de los labs llevan fondo blanco, porque Colab y GitHub las enseñan sobre el suyo, que puede ser oscuro.
La misma figura da siempre los mismos bytes. No calcula nada: los intervalos llegan hechos.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

import matplotlib as mpl
from cycler import cycler
from matplotlib import pyplot as plt
from matplotlib.ticker import ScalarFormatter

from utils.course.numerals import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK = "#1b1f24"
#: Se distinguen con cualquier daltonismo y contrastan al menos 3:1 con el fondo, claro u oscuro.
#: Una prueba lo comprueba simulando cada daltonismo (Machado et al. 2009).
PALETTE = {
    "blue": "#1a66d9",
    "orange": "#a8400a",
    "green": "#0c9f63",
    "purple": "#c23fae",
    "amber": "#c48705",
    "gray": "#6a737d",
}


class Interval(Protocol):
    """Lo que se necesita de un intervalo: su estimación y sus extremos."""

    estimate: float
    low: float
    high: float


def use_style(background: str = "none") -> None:
    """Aplica el estilo del curso y, en un cuaderno, pide figuras SVG.

    `background` es el color del fondo: "none" (transparente) en los capítulos y "white" en los labs.
    """
    mpl.rcParams.update(
        {
            "figure.figsize": (6.4, 3.6),
            "figure.constrained_layout.use": True,
            "savefig.transparent": background == "none",
            "figure.facecolor": background,
            "axes.facecolor": "none",
            "svg.hashsalt": "llm-en-tres-semanas",
            "svg.fonttype": "path",  # el texto se ve igual aunque el lector no tenga la fuente
            "font.family": ["DejaVu Sans"],  # viene dentro de matplotlib
            "font.size": 10,
            "axes.titlesize": 11,
            "axes.titlelocation": "left",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "grid.color": INK,
            "grid.alpha": 0.14,
            "grid.linewidth": 0.6,
            "lines.linewidth": 1.8,
            "legend.frameon": False,
            "axes.prop_cycle": cycler(color=list(PALETTE.values())),
            **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "axes.titlecolor"), INK),
            **dict.fromkeys(("xtick.color", "ytick.color"), INK),
        }
    )
    try:
        from IPython import get_ipython
        from matplotlib_inline.backend_inline import set_matplotlib_formats
    except ImportError:
        return
    if get_ipython() is not None:
        # Sin fecha dentro del SVG, ejecutar de nuevo el cuaderno no cambia el archivo.
        set_matplotlib_formats("svg", bbox_inches="tight", metadata={"Date": None})


def spanish_axes(ax: Axes) -> Axes:
    """Pone coma decimal en los ejes numéricos de `ax`; los de categorías y los logarítmicos no cambian."""
    for axis in (ax.xaxis, ax.yaxis):
        if isinstance(axis.get_major_formatter(), ScalarFormatter):
            axis.set_major_formatter(SpanishFormatter())
    return ax


class SpanishFormatter(ScalarFormatter):
    """El formato automático de matplotlib, con coma decimal y espacio de millares."""

    def __init__(self) -> None:
        super().__init__(useOffset=False, useMathText=False)
        self.set_scientific(False)

    def __call__(self, x: float, pos: int | None = None) -> str:
        text = super().__call__(x, pos).replace("−", "-")
        if not text:
            return text
        return number(float(text), len(text.partition(".")[2]))


def interval_bars(
    labels: Sequence[str],
    intervals: Sequence[Interval],
    *,
    title: str,
    xlabel: str,
    ylabel: str = "",
    decimals: int = 2,
    reference: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Dibuja una fila por etiqueta, con su estimación y su intervalo; `reference` marca un valor (0, azar…).

    Devuelve los ejes. Lanza `ValueError` si no hay un intervalo por etiqueta.
    """
    if not labels or len(labels) != len(intervals):
        raise ValueError(f"Hay {len(labels)} etiquetas y {len(intervals)} intervalos: pasa uno por etiqueta.")
    if ax is None:
        _, ax = plt.subplots(figsize=(6.4, 1.1 + 0.5 * len(labels)))
    if reference is not None:
        ax.axvline(reference, color=PALETTE["gray"], linestyle="--", linewidth=1)
    for row, interval in enumerate(intervals):
        # La barra de error se da por sus extremos: un intervalo bootstrap no tiene por qué ser simétrico.
        ax.plot([interval.low, interval.high], [row, row], color=PALETTE["blue"], linewidth=3, alpha=0.55)
        ax.plot(interval.estimate, row, "o", color=PALETTE["blue"], markersize=7)
        ax.annotate(
            number(interval.estimate, decimals), (interval.estimate, row), xytext=(0, 7),
            textcoords="offset points", ha="center", fontsize=9,
        )  # fmt: skip
    ax.set_yticks(range(len(labels)), labels)
    ax.set_ylim(len(labels) - 0.5, -0.7)
    ax.grid(axis="y", visible=False)
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
    return spanish_axes(ax)


def loss_curve(
    train: Sequence[tuple[int, float]],
    validation: Sequence[tuple[int, float]] = (),
    *,
    title: str,
    xlabel: str = "paso",
    ylabel: str = "pérdida",
    ax: Axes | None = None,
) -> Axes:
    """Dibuja la pérdida de entrenamiento y la de validación, cada una como pares (paso, pérdida).

    Devuelve los ejes. Lanza `ValueError` si no hay ningún punto de entrenamiento.
    """
    if not len(train):
        raise ValueError("No hay ninguna pérdida que dibujar: pasa pares (paso, pérdida).")
    if ax is None:
        _, ax = plt.subplots()
    ax.plot(*zip(*train, strict=True), color=PALETTE["blue"], label="entrenamiento")
    if len(validation):
        ax.plot(*zip(*validation, strict=True), "o-", color=PALETTE["orange"], markersize=4, label="validación")
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
    ax.legend()
    return spanish_axes(ax)


def save_svg(ax: Axes, path: str) -> None:
    """Guarda la figura de `ax` como SVG, con los mismos bytes cada vez."""
    ax.figure.savefig(path, format="svg", metadata={"Date": None})
