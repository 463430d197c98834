"""Revisa la prosa en Markdown: una frase por línea, títulos en español, signos y marco de los capítulos.

No corrige nada ni conoce la ortografía. Un caso legítimo se permite con el nombre de la regla, en su línea o
en la de encima: `<!-- permite: decimal -->`. Reglas: frase, partida, título, signos, espacios, decimal.
Con `<!-- permite: inglés -->` junto a un título, el apartado entero puede estar en inglés.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from scripts.lint_common import ROOT, Problem, files, machine_paths, report
from scripts.markdown_text import Document, Line, parse

MAX_CELL = 12  # líneas de una celda de un capítulo
WORDS = (1500, 3500)
SECTIONS = ("Resumen", "Autoevaluación", "Ejercicios", "Para saber más")
CARD = ("objetivo", "tiempo", "prerrequisitos", "lab")

# Tras estas abreviaturas, un punto no acaba la frase.
ABBREVIATIONS = {
    *("al.", "aprox.", "apdo.", "art.", "cap.", "caps.", "cf.", "coord.", "dr.", "dra.", "ec.", "ed."),
    *("ej.", "eq.", "etc.", "fig.", "figs.", "máx.", "mín.", "núm.", "núms.", "op.", "pág.", "págs."),
    *("pp.", "prof.", "profa.", "sec.", "sr.", "sra.", "ss.", "tab.", "trad.", "ud.", "uds.", "vol.", "vs."),
}
SENTENCE_END = re.compile(r"(\S*?[.!?…]+)[\"»”)\]*_]*\s+(?=[¿¡«\"“(\[*_]*[A-ZÁÉÍÓÚÑÜ◆◇])")
FINISHED = re.compile(r"[.!?…:;][\"»”)\]*_]*$|\\$")
QUOTED = re.compile(r"«[^»]*»|“[^”]*”|\"[^\"]*\"|\([^()]*\)")
RUN_IN = re.compile(r"^\*{1,2}[^*]+\*{1,2}[.:]?\s+")  # «**Objetivo.** Texto»: un rótulo, no una frase
BARE_IMAGE = re.compile(r"!\[\s*\]\(|<img\b(?![^>]*\balt=[\"'][^\"'])")

ENGLISH = re.compile(
    r"\b(the|of|and|with|for|from|what|how|why|your|you|are|is|to|this|summary|exercises?|references|introduction|"
    r"overview|conclusions?|further|reading|examples?|getting|started|license|solution|hints?|notes?)\b",
    re.IGNORECASE,
)

# Números con punto que no son decimales: versiones y apartados, solos o en serie («Python 3.11 y 3.12»).
NUMBER = r"\d+(?:\.\d+)+"
VERSIONED = re.compile(
    r"(?:\bversi(?:ón|ones)|python|torch|transformers|trl|peft|numpy|cuda|sphinx|jupyter|book|lab|llama|qwen|gpt|"
    r"claude|gemini|gemma|mistral|mixtral|deepseek|phi|by(?:-[a-z]+)*|apache|unicode|html|mathjax|debian|ubuntu|sección|apartado|"
    rf"capítulo|tabla|figura|ecuación|ejercicio|§)\s*-?{NUMBER}(?:(?:\s*(?:,|y|o|a|u|e|-|–)\s*){NUMBER})*|"
    rf"{NUMBER}\.\d+|{NUMBER}\s+[oy]\s+(?:posterior|anterior)(?:es)?|arxiv\S*",
    re.IGNORECASE,
)
DECIMAL = re.compile(r"(?<![\w.,/@=-])\d+\.\d+(?!\w|\.\d)")


def sentence_ends(text: str) -> int:
    """Cuenta las frases que acaban antes del final de una línea ya limpia.

    >>> sentence_ends("La Sra. Gil, p. ej. Ana. Luego sigue."), sentence_ends("Dijo «Sí. No.» y se fue.")
    (1, 0)
    """
    text = QUOTED.sub(lambda match: match[0][0] + "x" + match[0][-1], RUN_IN.sub("", text))
    ends = (match[1].lstrip("([«*_").lower() for match in SENTENCE_END.finditer(text))
    return sum(end not in ABBREVIATIONS and not re.fullmatch(r"\w\.|\w\.\w\.|\d+\.", end) for end in ends)


def _line_rules(line: Line) -> Iterator[tuple[str, str, str]]:
    """Aplica las reglas de una sola línea: nombre, qué pasa, cómo se arregla."""
    text = line.text
    if line.kind == "text" and sentence_ends(text):
        yield "frase", "hay más de una frase en la línea", "Escribe cada frase en su línea."
    if line.kind == "heading" and (word := ENGLISH.search(re.sub(r"\*[^*]+\*|_[^_]+_", "", text))):
        fix = "Tradúcelo o, si es una cita, ponlo en cursiva o en código."
        yield "título", f"el título tiene inglés («{word[0]}»)", fix
    for opening, closing in ("¿?", "¡!"):
        if text.count(opening) != text.count(closing):
            yield "signos", f"no casan los signos «{opening}» y «{closing}»", "Abre y cierra cada pregunta."
    if line.kind != "table" and re.search(r"\S  +\S", text):
        yield "espacios", "hay dos espacios seguidos", "Deja uno."
    if line.raw != line.raw.rstrip():
        yield "espacios", "sobran espacios al final", "Bórralos; para cortar una línea usa «\\»."
    if number := DECIMAL.search(VERSIONED.sub("", text)):
        fix = "Usa coma, o pon el número en una fórmula o en código si no es prosa."
        yield "decimal", f"el decimal «{number[0]}» lleva punto", fix
    for path in machine_paths(line.raw):
        yield "ruta", f"aparece una ruta de una máquina concreta ({path})", "Escríbela relativa a la raíz."


def check_text(path: Path, document: Document) -> list[Problem]:
    """Revisa las reglas que valen para cualquier Markdown del proyecto."""
    problems, english = [], False
    for line in document.lines:
        if line.kind == "heading":
            english = "inglés" in line.allowed
        for rule, what, fix in [] if english else _line_rules(line):
            if rule not in line.allowed:
                problems.append(Problem(path, line.number, what, fix))
    for line, following in zip(document.lines, document.lines[1:], strict=False):
        joined = line.kind == following.kind == "text" and line.block == following.block
        if joined and not FINISHED.search(line.text) and "partida" not in line.allowed:
            fix = "Júntala: una línea por frase, larga si hace falta."
            problems.append(Problem(path, line.number, "la frase sigue en la línea siguiente", fix))
    return problems


def check_figures(path: Path, source: str, document: Document) -> list[Problem]:
    """Pide texto alternativo en cada figura, sea directiva, imagen de Markdown o HTML."""
    figures = [d for d in document.directives if d.name in ("figure", "image")]
    where = [figure.number for figure in figures if not figure.options.get("alt")]
    for number, raw in enumerate(source.splitlines(), 1):
        if BARE_IMAGE.search(re.sub(r"(`+).+?\1", "", raw)):
            where.append(number)
    fix = "Describe en :alt: (o en alt) lo que se ve, en español."
    return [Problem(path, number, "la figura no tiene texto alternativo", fix) for number in where]


def check_chapter(path: Path, document: Document) -> list[Problem]:
    """Revisa el marco de un capítulo: ficha, pregunta, secciones, ejercicios, extensión y celdas cortas."""
    found: list[tuple[int, str, str]] = []
    headings = [line for line in document.lines if re.match(r"##\s", line.raw)]
    first = headings[0].number if headings else sys.maxsize
    second = headings[1].number if len(headings) > 1 else sys.maxsize
    opening = " ".join(line.raw.lower() for line in document.lines if line.number < first)
    missing = [word for word in CARD if not re.search(rf"\b{word}", opening)]
    if missing:
        found.append((1, f"a la ficha le falta: {', '.join(missing)}", "Va antes del primer apartado."))
    if not any("¿" in line.text for line in document.lines if line.number < second and line.kind == "text"):
        found.append((1, "no hay pregunta de apertura", "Plantea al comienzo una que se pueda predecir."))
    titles = {re.sub(r"^#+\s+", "", line.text).strip(): line.number for line in headings}
    for section in SECTIONS:
        if section not in titles:
            found.append((1, f"falta el apartado «## {section}»", "Todos los capítulos lo llevan."))
    names = [directive.name for directive in document.directives]
    if "quiz" not in names:
        found.append((titles.get("Autoevaluación", 1), "no hay cuestionario", "Añade la directiva {quiz}."))
    exercises = sum(name in ("exercise", "exercise-start") for name in names)
    if exercises < 2:
        what = f"hay {exercises} ejercicio(s)"
        found.append((titles.get("Ejercicios", 1), what, "Escribe al menos dos {exercise}."))
    words = sum(len(re.findall(r"[^\W\d_]+", line.text)) for line in document.lines)
    if not WORDS[0] <= words <= WORDS[1]:
        found.append((1, f"tiene {words} palabras", f"Ha de tener entre {WORDS[0]} y {WORDS[1]}."))
    for directive in document.directives:
        if directive.name == "code-cell" and len(directive.body) > MAX_CELL:
            what = f"la celda tiene {len(directive.body)} líneas y el tope son {MAX_CELL}"
            found.append((directive.number, what, "Pártela o lleva lo común a utils."))
    return [Problem(path, *rest) for rest in found]


def check_file(path: Path, source: str) -> list[Problem]:
    """Revisa un archivo Markdown; el marco, solo si es un capítulo (`chapters/semana-N/`)."""
    document = parse(source)
    problems = check_text(path, document) + check_figures(path, source, document)
    if path.parent.name.startswith("semana-") and path.parent.parent.name == "chapters":
        problems += check_chapter(path, document)
    return sorted(problems, key=lambda problem: problem.line)


def check(root: Path = ROOT) -> list[Problem]:
    """Revisa todos los Markdown que cuelgan de una raíz."""
    return [problem for path in files("*.md", root) for problem in check_file(path, path.read_text("utf-8"))]


if __name__ == "__main__":
    sys.exit(report(check(), "Prosa"))
