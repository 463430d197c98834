"""El sitio construido: en español hasta la última etiqueta, sin enlaces rotos, ligero y sin peticiones externas."""

import gzip
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml
from bs4 import BeautifulSoup, NavigableString, Tag

from utils.course.version import REPO_URL, SITE_URL, TAG

pytestmark = pytest.mark.site

ROOT = Path(__file__).resolve().parents[2]
BUDGET = 250_000  # bytes con gzip de la primera carga de una página, aparte de MathJax

# Textos que el tema, Sphinx y sus extensiones dejan en inglés si el catálogo falla. Se buscan como frase completa.
ENGLISH_LABELS = """
Search this book... | Search the docs ... | Search... | Search | Search Page | Search Results
Launch interactive content | Launch on Colab | Launch | Repository | Suggest edit | Open issue
Source repositories | Source repository | Edit this page | Toggle primary sidebar
Toggle secondary sidebar | Toggle navigation | Toggle hidden content | Main | Page | Contents
Link to this heading | Link to this image | Link to this table | Link to this code
Link to this definition | Link to this term | Link to this equation | Permalink to this headline
Permalink to this definition | Show code cell source | Hide code cell source | Show code cell output
Hide code cell output | Show code cell content | Click to show | Click to hide | Click to collapse
Click to expand | Download this page | Download notebook file | Download source file | Print to PDF
Fullscreen mode | Last updated on | Copyright | By the | Theme by the | On this page
Skip to main content | Back to top | Color mode | Light | Dark | System Settings | Breadcrumb | Home
Site navigation | Section Navigation | next | previous | next page | previous page | Next | Previous
Index | General Index | Note | Tip | Warning | Hint | See also | Important | Attention | Caution
Danger | Error message | Exercise | Solution | Solution to | Parameters | Returns | Return type
Raises | Yields | Table of contents | Icon Links | Copy | Copy to clipboard | Copied! | Correct!
Incorrect | Version warning | Announcement | Show Source | Glossary | Bibliography | References
Figure | Table | Fig. | Equation | Chapter | Live Code | Theme
"""
ENGLISH = {label.strip().lower() for label in re.split(r"[|\n]", ENGLISH_LABELS) if label.strip()}
ENGLISH_INSIDE = re.compile(
    r"\b(Toggle|Permalink|Launch on|Suggest edit|Last updated|Click to|Link to this|Issue on page|Your issue content|"
    r"logo_|Project name not set|Bases:|- Home|and others)\b"
)
ATTRIBUTES = ("title", "aria-label", "placeholder", "alt", "data-bs-title", "content")


def visible_strings(page: BeautifulSoup) -> list[str]:
    """Textos que alguien lee u oye: los visibles, salvo el código, y los de los atributos que se anuncian."""
    found = []
    for text in page.find_all(string=True):
        is_code = text.find_parent(["script", "style", "pre", "code", "kbd"]) or text.find_parent(class_="sig")
        # En la lista de parámetros de una función, los nombres van en negrita.
        is_code = is_code or (text.parent.name == "strong" and text.find_parent(class_="field-list"))
        if type(text) is NavigableString and not is_code:
            found.append(" ".join(text.split()))
    for name in ATTRIBUTES:
        for tag in page.find_all(attrs={name: True}):
            if name != "content" or tag.get("name") == "description":
                found.append(" ".join(str(tag[name]).split()))
    return [text for text in found if text]


def allowed_english(page: BeautifulSoup) -> set[str]:
    """Nombres ingleses del glosario y títulos de la bibliografía: son contenido, no interfaz."""
    tags: list[Tag] = page.select("dl.glossary em, div.citation *, em")
    return {" ".join(tag.get_text().split()).lower() for tag in tags}


def test_the_interface_is_in_spanish(pages: dict[str, BeautifulSoup]) -> None:
    leftovers = []
    for name, page in pages.items():
        allowed = allowed_english(page)
        for text in visible_strings(page):
            if text.lower() in ENGLISH - allowed or (ENGLISH_INSIDE.search(text) and text.lower() not in allowed):
                leftovers.append(f"{name}: {text!r}")
    assert not leftovers, "Etiquetas en inglés; tradúcelas en _locales/es.json o _templates/:\n" + "\n".join(leftovers)


def test_the_english_detector_sees_english() -> None:
    page = BeautifulSoup('<nav aria-label="Main"><a title="Link to this heading">#</a></nav><p>Next</p>', "lxml")
    found = [text for text in visible_strings(page) if text.lower() in ENGLISH]
    assert sorted(found) == ["Link to this heading", "Main", "Next"]


def test_every_page_says_it_is_spanish_and_has_one_title(pages: dict[str, BeautifulSoup]) -> None:
    for name, page in pages.items():
        if name == "index.html":
            continue
        assert page.html.get("lang") == "es", name
        assert len(page.find_all("h1")) == 1, f"{name} tiene {len(page.find_all('h1'))} títulos"
        assert page.title and page.title.get_text(strip=True), name


def test_internal_links_and_anchors_resolve(site: Path, pages: dict[str, BeautifulSoup]) -> None:
    anchors = {name: {tag["id"] for tag in page.find_all(id=True)} for name, page in pages.items()}
    broken = []
    for name, page in pages.items():
        for tag in page.find_all(["a", "link", "script", "img", "source"]):
            url = tag.get("href") or tag.get("src")
            if not url or urlsplit(url).scheme or url.startswith("//"):
                continue
            parts = urlsplit(url)
            target = (site / name).parent / unquote(parts.path) if parts.path else site / name
            target = target.resolve()
            if not target.is_file():
                broken.append(f"{name} -> {url}")
            elif parts.fragment and target.suffix == ".html":
                where = str(target.relative_to(site.resolve()))
                if where in anchors and unquote(parts.fragment) not in anchors[where]:
                    broken.append(f"{name} -> {url} (no hay ese apartado)")
    assert not broken, "Enlaces rotos:\n" + "\n".join(broken)


def test_nothing_is_loaded_from_another_server(pages: dict[str, BeautifulSoup]) -> None:
    outside = []
    for name, page in pages.items():
        for tag in page.find_all(["script", "link", "img", "iframe", "source", "video", "audio", "object"]):
            url = tag.get("src") or tag.get("data") or (tag.get("href") if tag.name == "link" else None) or ""
            loaded = tag.get("rel") != ["canonical"]  # dice dónde está publicada la página; no se pide
            if loaded and (urlsplit(url).scheme in {"http", "https"} or url.startswith("//")):
                outside.append(f"{name}: {url}")
        for tag in page.find_all(["script", "style"]):
            if re.search(r"https?://(cdn|unpkg|fonts)", tag.get_text()):
                outside.append(f"{name}: un guion nombra una CDN")
    assert not outside, "\n".join(outside)


def first_load(site: Path, name: str, page: BeautifulSoup) -> int:
    """Bytes con gzip de la página y de todo el CSS y JavaScript que enlaza, sin contar MathJax."""
    files = {(site / name).resolve()}
    for tag in page.find_all(["script", "link"]):
        url = tag.get("src") if tag.name == "script" else tag.get("href")
        path = urlsplit(url or "").path
        if path.endswith((".css", ".js")) and "/mathjax/" not in path:
            files.add(((site / name).parent / path).resolve())
    return sum(len(gzip.compress(path.read_bytes(), 6)) for path in files)


def test_first_load_is_within_budget(site: Path, pages: dict[str, BeautifulSoup]) -> None:
    weights = {name: first_load(site, name, page) for name, page in pages.items() if name != "search.html"}
    heavy = {name: size for name, size in weights.items() if size > BUDGET}
    assert not heavy, f"Pasan de {BUDGET} bytes con gzip: {heavy}"


def test_scripts_work_in_an_old_safari(site: Path) -> None:
    """Safari no entiende `(?<=` ni `(?<!` hasta la versión 16.4, y basta uno para que no funcione el archivo entero."""
    scripts = [
        path for path in site.rglob("*") if path.suffix in {".js", ".mjs", ".html"} and "_search" not in path.parts
    ]
    guilty = [path for path in scripts if re.search(r"\(\?<[=!]", path.read_text(encoding="utf-8"))]
    assert [str(path.relative_to(site)) for path in guilty if path.name != "searchindex.js"] == []


def test_no_page_links_fontawesome_or_thebe(pages: dict[str, BeautifulSoup]) -> None:
    for name, page in pages.items():
        linked = " ".join(str(tag) for tag in page.find_all(["script", "link"])).lower()
        for unwanted in ("fontawesome.js", "thebe", "require.min.js", "googleapis"):
            assert unwanted not in linked, f"{name} enlaza {unwanted}"


def test_every_icon_has_a_drawing(site: Path, pages: dict[str, BeautifulSoup]) -> None:
    css = (site / "_static" / "iconos.css").read_text(encoding="utf-8")
    drawn = set(re.findall(r"\.fa-([a-z-]+)", css))
    styles = {"solid", "brands", "regular", "lg", "fw", "sm"}
    used = {
        part.removeprefix("fa-")
        for page in pages.values()
        for tag in page.select("i[class*=fa-], span[class*=fa-]")
        for part in tag["class"]
        if part.startswith("fa-")
    }
    assert used - drawn - styles == set(), "Añade estos iconos a _ext/light_icons.py"


def lab_pages(pages: dict[str, BeautifulSoup]) -> dict[str, BeautifulSoup]:
    """Las páginas de los labs."""
    return {name: page for name, page in pages.items() if name.startswith("labs/")}


def test_labs_have_colab_and_kaggle_buttons_for_the_published_tag(pages: dict[str, BeautifulSoup]) -> None:
    organisation = REPO_URL.removeprefix("https://github.com/")
    for name, page in lab_pages(pages).items():
        path = name.replace(".html", ".ipynb")
        links = {a["href"] for a in page.select(".dropdown-launch-buttons a")}
        assert links == {
            f"https://colab.research.google.com/github/{organisation}/blob/{TAG}/{path}",
            f"https://kaggle.com/kernels/welcome?src={REPO_URL}/blob/{TAG}/{path}",
        }, name
        assert (ROOT / path).exists(), f"El botón de {name} abre un cuaderno que no está en el repositorio"


def test_only_labs_have_launch_buttons(pages: dict[str, BeautifulSoup]) -> None:
    for name, page in pages.items():
        if not name.startswith("labs/"):
            assert not page.select(".dropdown-launch-buttons"), name


def test_configuration_agrees_with_the_version_module() -> None:
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    assert config["repository"] == {"url": REPO_URL, "path_to_book": "", "branch": TAG}
    assert config["html"]["baseurl"] == SITE_URL


def test_configuration_fails_on_errors() -> None:
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    assert config["execute"]["raise_on_error"] is True
    assert config["only_build_toc_files"] is True


def test_every_page_of_the_contents_is_built(site: Path) -> None:
    text = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    files = re.findall(r"^\s*- file: (\S+)", text, re.MULTILINE)
    missing = [name for name in files if not (site / f"{name}.html").exists()]
    assert files and not missing, missing


def test_images_have_spanish_alternative_text(pages: dict[str, BeautifulSoup]) -> None:
    missing = []
    for name, page in pages.items():
        for image in page.select(".bd-article img"):
            alt = image.get("alt")
            if alt is None or alt.startswith(("../", "_images", "http")) or (alt == "" and not image.find_parent("a")):
                missing.append(f"{name}: {image.get('src')}")
    assert not missing, "Figuras sin texto alternativo:\n" + "\n".join(missing)


def test_the_reference_pages_show_every_public_module_once(pages: dict[str, BeautifulSoup]) -> None:
    shown = [tag["id"] for page in pages.values() for tag in page.select("[id^='module-utils.']")]
    existing = [
        ".".join(("module-utils", path.parent.name, path.stem))
        for path in ROOT.glob("utils/*/*.py")
        if (path.parent / "__init__.py").exists() and not path.stem.startswith("_")
    ]
    assert sorted(shown) == sorted(existing)


def test_the_vendored_mathjax_is_small() -> None:
    size = sum(path.stat().st_size for path in (ROOT / "_static/vendor").rglob("*") if path.is_file())
    assert size < 1_500_000
