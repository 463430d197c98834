"""La directiva `{widget}`: figuras que se tocan, sin núcleo ni servidor.

    ```{widget} sampling-explorer
    prompt: La gata duerme en el
    tokens: [sofá, suelo, tejado]
    logits: [3.0, 1.5, -0.5]
    temperature: 1.0
    top_k: 3
    top_p: 0.9
    ```

Escribe el elemento con sus datos y, dentro, lo que se ve sin JavaScript: una tabla calculada al construir
con `utils.model.decoding`. El código de cada widget son módulos en `_static/course/widgets/*.mjs`; al
construir se juntan en un script clásico, porque ningún navegador carga módulos desde el disco.
"""

import html
import json
import math
import re
from collections.abc import Callable
from pathlib import Path

import yaml
from course_html import add_assets
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from widget_bpe import bpe_spec, bpe_table
from widget_formats import formats_spec, formats_table
from widget_lora import lora_spec, lora_table
from widget_memory import memory_spec, memory_table
from widget_overlap import overlap_spec, overlap_table
from widget_planner import planner_spec, planner_table

SOURCES = "_static/course/widgets"
# Los módulos de cada widget, en el orden en que se juntan.
BUNDLES = {
    "sampling-explorer": ["sampling.mjs", "sampling-explorer.mjs"],
    "generation-loop": ["generation-loop.mjs"],
    "attention-map": ["attention-map.mjs"],
    "bpe-merges": ["bpe.mjs", "bpe-merges.mjs"],
    "number-formats": ["form.mjs", "formats.mjs", "number-formats.mjs"],
    "memory-calculator": ["form.mjs", "memory.mjs", "memory-calculator.mjs"],
    "compute-planner": ["form.mjs", "planner.mjs", "compute-planner.mjs"],
    "lora-calculator": ["form.mjs", "lora.mjs", "lora-calculator.mjs"],
    "overlap-metrics": ["form.mjs", "overlap.mjs", "overlap-metrics.mjs"],
}
# Lo escribe scripts/export_attention.py, con los minis.
_ATTENTION = Path(__file__).resolve().parents[1] / SOURCES / "attention-map.json"
# Lo escribe scripts/export_generation.py, con los minis.
_GENERATION = Path(__file__).resolve().parents[1] / SOURCES / "generation-loop.json"
_OPTIONAL = {"prompt", "temperature", "top_k", "top_p"}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def sampling_spec(body: dict) -> dict:
    """Valida el YAML del explorador y lo devuelve como lo espera el navegador; `ValueError` si no vale."""
    unknown = sorted(set(body) - {"tokens", "logits"} - _OPTIONAL)
    if unknown:
        raise ValueError(f"sobra la clave `{unknown[0]}`; valen tokens, logits, prompt, temperature, top_k y top_p.")
    tokens, logits = body.get("tokens"), body.get("logits")
    if not isinstance(tokens, list) or len(tokens) < 2 or not all(isinstance(token, str) for token in tokens):
        raise ValueError("`tokens` debe ser una lista de al menos dos textos (entre comillas si parecen números).")
    if not isinstance(logits, list) or len(logits) != len(tokens) or not all(map(_is_number, logits)):
        raise ValueError(f"`logits` debe ser una lista de {len(tokens)} números finitos, uno por token.")
    temperature, top_k, top_p = body.get("temperature", 1.0), body.get("top_k"), body.get("top_p")
    if not _is_number(temperature) or not 0.1 <= temperature <= 3:
        raise ValueError(f"`temperature` vale {temperature!r}; debe ser un número entre 0.1 y 3.")
    if top_k is not None and (type(top_k) is not int or not 1 <= top_k <= len(tokens)):
        raise ValueError(f"`top_k` vale {top_k!r}; debe ser un entero entre 1 y {len(tokens)}, o faltar.")
    if top_p is not None and (not _is_number(top_p) or not 0.05 <= top_p <= 1):
        raise ValueError(f"`top_p` vale {top_p!r}; debe ser un número entre 0.05 y 1, o faltar.")
    settings = {"temperature": temperature, "topK": top_k, "topP": top_p}
    return {"prompt": body.get("prompt", ""), "tokens": tokens, "logits": logits, **settings}


def _comma(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace(".", ",").replace("-", "−")


def sampling_table(spec: dict) -> str:
    """La tabla estática, en HTML: probabilidades con T = 0,5, 1 y 2, y con los ajustes iniciales."""
    import torch

    from utils.model.decoding import probabilities

    logits = torch.tensor(spec["logits"])  # (V,)
    top_k, top_p = spec["topK"], spec["topP"]
    initial = f"T = {_comma(spec['temperature'], 2)}"
    initial += f", top-k = {top_k}" if top_k else ""
    initial += f", top-p = {_comma(top_p, 2)}" if top_p else ""
    columns = {f"T = {_comma(t, 1)}": probabilities(logits, t) for t in (0.5, 1.0, 2.0)}
    if top_k or top_p:
        columns[initial] = probabilities(logits, spec["temperature"], top_k, top_p)
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Token", "Logit", *columns))
    rows = []
    for index in sorted(range(len(logits)), key=lambda i: -spec["logits"][i]):
        kept = (_comma(probs[index].item(), 4) if probs[index] else "fuera" for probs in columns.values())
        cells = [_comma(spec["logits"][index], 2), *kept]
        data = "".join(f"<td>{cell}</td>" for cell in cells)
        rows.append(f'<tr><th scope="row"><code>{html.escape(spec["tokens"][index])}</code></th>{data}</tr>')
    caption = "Probabilidad del token siguiente"
    caption += f" a «{html.escape(spec['prompt'])}…»" if spec["prompt"] else ""
    return (
        f'<table class="se-static"><caption>{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def generation_spec(body: dict) -> dict:
    """Toma los ejemplos pedidos de `generation-loop.json`; `ValueError` si alguno no está."""
    stored = {example["title"]: example for example in json.loads(_GENERATION.read_text(encoding="utf-8"))}
    names = body.get("examples")
    if set(body) != {"examples"} or not isinstance(names, list) or not names or not all(n in stored for n in names):
        raise ValueError(f"falta `examples: [...]`, con algunos de estos ejemplos: {', '.join(stored)}.")
    return {"examples": [stored[name] for name in names]}


def generation_table(spec: dict) -> str:
    """La tabla estática, en HTML: los pasos del primer ejemplo, con el token elegido y su mejor rival."""
    example = spec["examples"][0]
    rows = []
    for number, step in enumerate(example["steps"], start=1):
        token, prob = step["candidates"][step["chosen"]]
        rival, other = next(pair for i, pair in enumerate(step["candidates"]) if i != step["chosen"])
        cells = "".join(
            f"<td><code>{html.escape(name)}</code> {_comma(100 * value, 1)} %</td>"
            for name, value in ((token, prob), (rival, other))
        )
        rows.append(f'<tr><th scope="row">{number}</th>{cells}</tr>')
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Paso", "Token elegido", "Su mejor rival"))
    caption = f"{html.escape(example['model'])}: «{html.escape(example['prompt'])}» → «{html.escape(example['text'])}»"
    return (
        f'<table class="gl-static"><caption>{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def attention_spec(body: dict) -> dict:
    """Toma los ejemplos pedidos de `attention-map.json`; `ValueError` si alguno no está."""
    stored = {example["title"]: example for example in json.loads(_ATTENTION.read_text(encoding="utf-8"))}
    names = body.get("examples")
    if set(body) != {"examples"} or not isinstance(names, list) or not names or not all(n in stored for n in names):
        raise ValueError(f"falta `examples: [...]`, con algunos de estos ejemplos: {', '.join(stored)}.")
    return {"examples": [stored[name] for name in names]}


def attention_table(spec: dict) -> str:
    """La tabla estática, en HTML: a quién mira más cada token en la primera capa y cabeza del primer ejemplo."""
    example = spec["examples"][0]
    rows = []
    for token, weights in zip(example["rows"], example["weights"][0][0], strict=True):
        best = max(range(len(weights)), key=weights.__getitem__)
        looked = (
            f"<td><code>{html.escape(example['columns'][best])}</code></td><td>{_comma(weights[best] / 1000, 2)}</td>"
        )
        rows.append(f'<tr><th scope="row"><code>{html.escape(token)}</code></th>{looked}</tr>')
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Token", "A quién mira más", "Peso"))
    caption = f"{html.escape(example['model'])}, {example['kind']}, capa 1, cabeza 1: «{html.escape(example['text'])}»"
    return (
        f'<table class="am-static"><caption>{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


# Cada widget: cómo se validan sus datos y qué se ve sin JavaScript.
WIDGETS: dict[str, tuple[Callable[[dict], dict], Callable[[dict], str]]] = {
    "sampling-explorer": (sampling_spec, sampling_table),
    "generation-loop": (generation_spec, generation_table),
    "attention-map": (attention_spec, attention_table),
    "bpe-merges": (bpe_spec, bpe_table),
    "number-formats": (formats_spec, formats_table),
    "memory-calculator": (memory_spec, memory_table),
    "compute-planner": (planner_spec, planner_table),
    "lora-calculator": (lora_spec, lora_table),
    "overlap-metrics": (overlap_spec, overlap_table),
}


class WidgetDirective(SphinxDirective):
    """Un widget; el argumento es su nombre y el cuerpo, sus datos en YAML."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        if name not in WIDGETS:
            raise self.error(f"No hay un widget «{name}»; los que hay son: {', '.join(sorted(WIDGETS))}.")
        check, fallback = WIDGETS[name]
        try:
            body = yaml.safe_load("\n".join(self.content))
            if not isinstance(body, dict):
                raise ValueError("el cuerpo debe ser YAML con una clave por línea, como `tokens: [a, b]`.")
            spec = check(body)
        except yaml.YAMLError:
            raise self.error(f"{name}: el YAML del cuerpo no se puede leer; revisa sangrías y comillas.") from None
        except ValueError as error:
            raise self.error(f"{name}: {error}") from None
        data = json.dumps(spec, ensure_ascii=False).replace("</", "<\\/")
        script = f'<script type="application/json">{data}</script>'
        node = nodes.raw("", f'<{name} class="widget">{script}{fallback(spec)}</{name}>', format="html")
        node["course_widget"] = name
        return [node]


def bundle(modules: list[str]) -> str:
    """Junta unos módulos en un script clásico: sin `import`, sin `export` y dentro de una función."""
    code = "\n".join(modules)
    code = re.sub(r"^import .*?;\n", "", code, flags=re.MULTILINE)
    code = re.sub(r"^export ", "", code, flags=re.MULTILINE)
    return f"(() => {{\n{code}}})();\n"


def _write_bundles(app: Sphinx) -> None:
    folder = Path(app.doctreedir, "widgets")
    for name, modules in BUNDLES.items():
        target = folder / "course" / "widgets" / f"{name}.js"
        target.parent.mkdir(parents=True, exist_ok=True)
        sources = [Path(app.srcdir, SOURCES, module).read_text(encoding="utf-8") for module in modules]
        target.write_text(bundle(sources), encoding="utf-8")
    app.config.html_static_path.append(str(folder))


def _page_assets(app: Sphinx, pagename: str, templatename: str, context: dict, doctree) -> None:
    if doctree:
        for name in sorted({node.get("course_widget", "") for node in doctree.findall(nodes.raw)} - {""}):
            form = ["widgets/form.css"] if "form.mjs" in BUNDLES[name] else []
            add_assets(app, *form, f"widgets/{name}.css", f"widgets/{name}.js")


def setup(app: Sphinx) -> dict:
    app.setup_extension("course_html")
    app.add_directive("widget", WidgetDirective)
    app.connect("builder-inited", _write_bundles)
    app.connect("html-page-context", _page_assets)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
