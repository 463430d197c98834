"""Dos dibujos para las arquitecturas: cajas con flechas y mapas de calor de la atención.

Siguen el estilo de `utils.course.plots`: tinta oscura sobre fondo transparente, así que sirven en modo claro y oscuro.
No calculan nada ni colocan las cajas solas.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import FancyBboxPatch

from utils.course.numerals import number
from utils.course.plots import INK, PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Una caja: centro (x, y), texto y color de `PALETTE`.
Box = tuple[float, float, str, str]
HEIGHT = 0.62


def diagram(
    boxes: Mapping[str, Box],
    arrows: Sequence[tuple[str, str]],
    *,
    around: Sequence[str] = (),
    width: float = 2.6,
    figsize: tuple[float, float] = (6.4, 4.6),
) -> Axes:
    """Dibuja cajas con nombre y flechas entre ellas; una unidad del dibujo es el alto de una caja con su hueco.

    Una flecha entre cajas de la misma columna sube o baja; entre columnas, sale del lado. A las cajas de `around` las
    rodea una línea por su izquierda, que se suma a la salida: la conexión residual. Devuelve los ejes. Error si se
    nombra una caja que no existe.
    """
    for pair in (*arrows, *((name,) for name in around)):
        if missing := [name for name in pair if name not in boxes]:
            raise ValueError(f"No hay una caja «{missing[0]}»: las que hay son {', '.join(boxes)}.")
    _, ax = plt.subplots(figsize=figsize)
    for x, y, text, color in boxes.values():
        corner = (x - width / 2, y - HEIGHT / 2)
        style = {"boxstyle": "round,pad=0,rounding_size=0.12", "linewidth": 1.4}
        ax.add_patch(FancyBboxPatch(corner, width, HEIGHT, facecolor=PALETTE[color], alpha=0.16, **style))
        ax.add_patch(FancyBboxPatch(corner, width, HEIGHT, facecolor="none", edgecolor=PALETTE[color], **style))
        ax.text(x, y, text, ha="center", va="center", fontsize=9, linespacing=1.25)
    for start, end in arrows:
        (x0, y0, *_), (x1, y1, *_) = boxes[start], boxes[end]
        if x0 == x1:
            tail, head = (x0, y0 + np.sign(y1 - y0) * HEIGHT / 2), (x1, y1 - np.sign(y1 - y0) * HEIGHT / 2)
        else:
            tail, head = (x0 + np.sign(x1 - x0) * width / 2, y0), (x1 - np.sign(x1 - x0) * width / 2, y1)
        ax.annotate("", head, tail, arrowprops={"arrowstyle": "-|>", "color": INK, "linewidth": 1.2})
    for x, y, *_ in (boxes[name] for name in around):
        aside = x - width / 2 - 0.22
        ax.plot([x, aside, aside, x - 0.12], [y - 0.5, y - 0.5, y + 0.5, y + 0.5], color=INK, linewidth=1)
        ax.text(x, y + 0.5, "+", ha="center", va="center", fontsize=9, bbox={
            "boxstyle": "circle,pad=0.12", "facecolor": "white", "edgecolor": INK, "linewidth": 0.8})  # fmt: skip
    xs, ys = [box[0] for box in boxes.values()], [box[1] for box in boxes.values()]
    room = 0.8 * bool(around)  # para los rodeos
    ax.set(xlim=(min(xs) - width * 0.56 - room, max(xs) + width * 0.56), ylim=(min(ys) - 0.5, max(ys) + 0.5))
    ax.axis("off")
    return ax


def heat_map(
    weights: Sequence[Sequence[float]],
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    title: str = "",
    decimals: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Un cuadro por peso, más oscuro cuanto mayor: cada fila es una palabra que mira y cada columna, una mirada.

    `weights` (T, S), entre 0 y 1. Con `decimals`, escribe también el número. Devuelve los ejes. Error si las formas no
    encajan.
    """
    values = np.asarray(weights, dtype=float)
    if values.shape != (len(rows), len(columns)):
        raise ValueError(f"Los pesos son {values.shape} y las etiquetas, {len(rows)} filas y {len(columns)} columnas.")
    if ax is None:
        _, ax = plt.subplots(figsize=(1.6 + 0.5 * len(columns), 1.2 + 0.4 * len(rows)))
    # de transparente a azul: el fondo es el de la página, claro u oscuro
    fade = LinearSegmentedColormap.from_list("mirada", [PALETTE["blue"] + "00", PALETTE["blue"]])
    ax.pcolormesh(values, cmap=fade, vmin=0, vmax=1, edgecolors="#1b1f2422", linewidth=0.4)
    if decimals is not None:
        for (row, column), value in np.ndenumerate(values):
            text = number(value, decimals)
            color = "white" if value > 0.6 else INK  # se lee sobre el azul, en modo claro y oscuro
            ax.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=8, color=color)
    ax.set_xticks(np.arange(len(columns)) + 0.5, columns, rotation=45, ha="right")
    ax.set_yticks(np.arange(len(rows)) + 0.5, rows)
    ax.tick_params(length=0)
    ax.grid(visible=False)
    ax.invert_yaxis()
    ax.set(title=title)
    return ax
