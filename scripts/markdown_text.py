"""Separa la prosa de un archivo Markdown (MyST) de lo que no lo es: código, fórmulas, opciones, comentarios.

No interpreta Markdown entero: lee línea a línea lo justo para que los revisores sepan qué mirar.
"""

import re
from dataclasses import dataclass, field

# Directivas cuyo cuerpo no es prosa. Las demás (avisos, ejercicios, pies de figura) sí lo son.
NOT_PROSE = {
    *("code", "code-block", "code-cell", "literalinclude", "math", "mermaid", "raw", "eval-rst", "include"),
    *("csv-table", "list-table", "bibliography", "toctree", "tableofcontents"),
    *("glue", "image", "quiz", "widget"),
}

FENCE = re.compile(r"^\s*(?:(?:[-*+>]|\d+[.)])\s+)*(`{3,}|~{3,}|:{3,})\s*(?:\{([^}]+)\})?\s*(.*)$")
OPTION = re.compile(r"^\s*:([\w-]+):\s*(.*)$")
MARKER = re.compile(r"^\s*(?:>\s*)*(?:[-*+]|\d+[.)]|:)\s+")
SEPARATOR = re.compile(
    r"|%.*|\+\+\+.*|\$\$.*|\\begin\{.*|<!--.*-->|---+|\(.+\)=|\{[.#][^}]*\}|</?[a-zA-Z][^>]*>"
)
CLOSINGS = {
    "---": re.compile(r"^---$"),
    "$$": re.compile(r"\$\$"),
    "<!--": re.compile("-->"),
    r"\begin{": re.compile(r"\\end\{"),
}
ALLOWS = re.compile(r"(?:<!--|^%)\s*permite:\s*([\w, áéíóúñ-]+?)\s*(?:-->|$)")


@dataclass
class Line:
    """Una línea de prosa: su número, su texto sin código ni fórmulas y qué papel tiene."""

    number: int
    raw: str
    kind: str  # "text", "heading" o "table"
    block: int  # las líneas seguidas de un mismo párrafo comparten bloque
    allowed: set[str] = field(default_factory=set)

    @property
    def text(self) -> str:
        """El texto sin marcas de lista, código, fórmulas, direcciones ni etiquetas HTML."""
        return clean(self.raw)


@dataclass
class Directive:
    """Una directiva de MyST (`{figure}`, `{code-cell}`...): dónde empieza, sus opciones y su cuerpo."""

    number: int
    name: str
    argument: str
    options: dict[str, str] = field(default_factory=dict)
    body: list[str] = field(default_factory=list)


@dataclass
class Document:
    """Lo que los revisores necesitan de un archivo."""

    lines: list[Line]
    directives: list[Directive]


def clean(text: str) -> str:
    """Quita de una línea lo que no es prosa; el código queda como ◆, y las fórmulas y direcciones, como ◇.

    >>> clean("- Mira `top_p` en [la guía](https://a.b/c): vale $0.5$.")
    'Mira ◆ en la guía: vale ◇.'
    """
    text = re.sub(r"(?:\{[\w:+-]+\})?(`+).+?\1", "◆", text)
    text = re.sub(r"\$\$.+?\$\$|(?<![\\\w])\$[^$]+\$", "◇", text)
    text = re.sub(r"!\[([^\]]*)\]\([^)]*\)", "", text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    text = re.sub(r"<?https?://[^\s>]*[^\s>.,;:)]>?", "◇", text)
    text = re.sub(r"<!--.*?-->|</?[a-zA-Z][^>]*>", "", text)
    text = re.sub(r"\{[#.][^}]*\}", "", text)  # atributos: {#fig .clase}
    return MARKER.sub("", text).strip()


def parse(source: str) -> Document:
    """Lee un archivo Markdown y devuelve su prosa y sus directivas."""
    document = Document([], [])
    stack: list[tuple[str, bool, Directive | None]] = []  # (cerca, es código, directiva) de fuera adentro
    options = False  # si la directiva recién abierta todavía puede llevar opciones
    until: re.Pattern[str] | None = None  # cierre del bloque que se está saltando
    block, allowed = 0, set()
    for number, raw in enumerate(source.splitlines(), 1):
        line = raw.strip()
        if until:
            until = None if until.search(line) else until
            continue
        fence = FENCE.match(raw)
        if fence and stack and fence[1].startswith(stack[-1][0]) and not fence[2] and not fence[3]:
            stack.pop()
            options, block = False, block + 1
            continue
        directive = stack[-1][2] if stack else None
        if options and line.startswith(":") and not fence:
            if option := OPTION.match(raw):
                directive.options[option[1]] = option[2]
            continue
        if options and line == "---":
            until = CLOSINGS["---"]
            continue
        options = False
        if stack and stack[-1][1]:
            if directive:
                directive.body.append(raw)
        elif fence:
            directive = Directive(number, fence[2], fence[3]) if fence[2] else None
            document.directives += [directive] if directive else []
            stack.append((fence[1], not fence[2] or fence[2] in NOT_PROSE, directive))
            options, block = directive is not None, block + 1
        elif opening := _opening(line, number):
            until, block = CLOSINGS[opening], block + 1
        else:
            marks = ALLOWS.search(line)
            names = {name.strip() for name in marks[1].split(",")} if marks else set()
            if SEPARATOR.fullmatch(line):  # un permiso solo en su línea vale para la siguiente con texto
                allowed, block = allowed | names, block + 1
                continue
            glossary = directive is not None and directive.name == "glossary"  # una entrada por línea
            kind = "heading" if re.match(r"#{1,6}\s", line) else "table" if line.startswith("|") else "text"
            block += kind != "text" or glossary or bool(MARKER.match(raw) or OPTION.match(raw))
            document.lines.append(Line(number, raw, kind, block, names | allowed))
            block += kind != "text"
            allowed = set()
    return document


def _opening(line: str, number: int) -> str | None:
    """Devuelve qué bloque de varias líneas sin prosa abre una línea, si abre alguno."""
    if number == 1 and line == "---":
        return "---"
    for mark in ("$$", "<!--"):
        if line.startswith(mark) and not CLOSINGS[mark].search(line[len(mark) :]):
            return mark
    return r"\begin{" if line.startswith(r"\begin{") and r"\end{" not in line else None
