"""Las figuras: mismos bytes, sin fondo o con fondo blanco, coma decimal y una paleta que se distingue y contrasta."""

import itertools
import subprocess
import sys
from types import SimpleNamespace

import matplotlib
import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from utils.course import plots
from utils.course.env import repo_root

INTERVALS = [SimpleNamespace(estimate=e, low=e - 0.1, high=e + 0.05) for e in (0.12, 0.405, 0.64)]
LABELS = ["sin ejemplos", "uno", "cuatro"]


@pytest.fixture(autouse=True)
def style():
    backend = matplotlib.get_backend()
    matplotlib.use("svg")
    with matplotlib.rc_context():
        plots.use_style()
        yield
    matplotlib.pyplot.close("all")
    matplotlib.use(backend)


def texts(ax) -> str:
    ax.figure.canvas.draw()
    labels = [*ax.get_xticklabels(), *ax.get_yticklabels(), *ax.texts, ax.xaxis.label, ax.yaxis.label]
    return " ".join([ax.get_title(loc="left"), *(label.get_text() for label in labels)])


def test_interval_bars(tmp_path):
    ax = plots.interval_bars(LABELS, INTERVALS, title="Título", xlabel="ROUGE-1", reference=0, decimals=3)
    found = texts(ax)
    assert all(text in found for text in (*LABELS, "Título", "ROUGE-1", "0,405")) and "." not in found
    drawn = sorted(tuple(line.get_xdata()) for line in ax.lines if len(line.get_xdata()) == 2)
    assert drawn == sorted([(0, 0), *((i.low, i.high) for i in INTERVALS)])  # extremos exactos y la referencia


def test_loss_curve():
    ax = plots.loss_curve([(0, 8.5), (100, 0.5)], [(100, 0.75)], title="Pérdida")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["entrenamiento", "validación"]
    assert ax.get_xlabel() == "paso" and ax.get_ylabel() == "pérdida"


def test_empty_input_is_a_sentence():
    with pytest.raises(ValueError, match="pasa pares"):
        plots.loss_curve([], title="x")
    with pytest.raises(ValueError, match="Hay 3 etiquetas y 2 intervalos"):
        plots.interval_bars(LABELS, INTERVALS[:2], title="x", xlabel="y")


def test_svg_is_transparent_and_the_same_bytes_in_another_process(tmp_path):
    code = (
        "import sys, matplotlib; matplotlib.use('svg'); from utils.course import plots; plots.use_style();"
        "plots.save_svg(plots.loss_curve([(0, 8.5), (100, .5)], title='Pérdida'), sys.argv[1])"
    )
    for name in ("a.svg", "b.svg"):
        subprocess.run([sys.executable, "-c", code, str(tmp_path / name)], check=True, cwd=repo_root())
    first = (tmp_path / "a.svg").read_bytes()
    assert first == (tmp_path / "b.svg").read_bytes() and len(first) < 150_000
    assert b"<dc:date>" not in first and b"fill: #ffffff" not in first and plots.INK.encode() in first


def test_a_notebook_gets_svg_without_date():
    """En un núcleo de verdad: el formato de salida es SVG y no lleva fecha."""
    import nbformat
    from nbclient import NotebookClient

    code = "from utils.course import plots\nplots.use_style()\nplots.loss_curve([(0, 1.), (1, .5)], title='x');"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    NotebookClient(notebook, resources={"metadata": {"path": str(repo_root())}}).execute()
    data = [out.data for out in notebook.cells[0].outputs if "data" in out]
    assert len(data) == 1 and "image/svg+xml" in data[0] and "image/png" not in data[0]
    assert "<dc:date>" not in data[0]["image/svg+xml"]


@pytest.mark.parametrize(("background", "alpha"), [("none", 0), ("white", 255)])
def test_background_is_transparent_in_chapters_and_white_in_labs(tmp_path, background, alpha):
    plots.use_style(background)
    ax = plots.loss_curve([(0, 8.5), (100, 0.5)], title="x")
    ax.figure.savefig(tmp_path / "x.png", dpi=20)
    pixels = (255 * matplotlib.image.imread(tmp_path / "x.png")).astype(int)  # (alto, ancho, RGBA)
    assert pixels[..., 3].min() == alpha and pixels[0, 0].tolist() == [255] * 3 + [alpha]


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (0.4125, 3, "0,412"),
        (1234, None, "1234"),
        (12345.5, None, "12\xa0345,5"),
        (-0.5, 1, "−0,5"),
        (9999.99, 1, "10\xa0000,0"),
    ],
)
def test_number(value, decimals, text):
    assert plots.number(value, decimals) == text


@given(st.floats(-1e9, 1e9), st.integers(0, 6))
def test_number_can_be_read_back(value, decimals):
    text = plots.number(value, decimals).replace("\xa0", "").replace(",", ".").replace("−", "-")
    assert float(text) == float(f"{value:.{decimals}f}")


def linear(color: str) -> numpy.ndarray:
    """De #rrggbb a RGB lineal."""
    c = numpy.array(matplotlib.colors.to_rgb(color))
    return numpy.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(rgb: numpy.ndarray, background: float) -> float:
    """Contraste de la WCAG entre un color lineal y un fondo de esa luminancia."""
    light = float(rgb @ [0.2126, 0.7152, 0.0722])
    return (max(light, background) + 0.05) / (min(light, background) + 0.05)


# `filter: hue-rotate(180deg)` de CSS, la segunda mitad del cambio a modo oscuro.
HUE_ROTATE = numpy.array([[-0.574, 1.43, 0.144], [0.426, 0.43, 0.144], [0.426, 1.43, -0.856]])


@pytest.mark.parametrize("color", [plots.INK, *plots.PALETTE.values()])
def test_contrast_in_light_and_dark(color):
    assert contrast(linear(color), 1.0) >= 3
    dark = numpy.clip(HUE_ROTATE @ (1 - numpy.array(matplotlib.colors.to_rgb(color))), 0, 1)
    assert contrast(linear(dark), 0.01) >= 3


# Machado, Oliveira y Fernandes (2009), severidad 1.
BLINDNESS = {
    "ninguno": numpy.eye(3),
    "protanopía": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranopía": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
    "tritanopía": [[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]],
}


def lab(rgb: numpy.ndarray) -> numpy.ndarray:
    """De RGB lineal a CIELAB (D65)."""
    m = numpy.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    x, y, z = numpy.cbrt(numpy.clip(m @ rgb, 1e-4, None) / [0.9505, 1.0, 1.089])
    return numpy.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("kind", BLINDNESS)
def test_colours_stay_apart(kind):
    seen = {name: lab(numpy.clip(numpy.array(BLINDNESS[kind]) @ linear(c), 0, 1)) for name, c in plots.PALETTE.items()}
    for (a, x), (b, y) in itertools.combinations(seen.items(), 2):
        assert numpy.linalg.norm(x - y) >= 15, (kind, a, b, numpy.linalg.norm(x - y))
