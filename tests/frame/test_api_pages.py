"""Las páginas de referencia: cada módulo público, una vez, con su habitación y después de lo que importa."""

import re

import pytest
import yaml

from scripts.lint_common import ROOT

APPENDIX = ROOT / "chapters/apendices"


@pytest.fixture
def api_pages(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "_ext")
    import api_pages

    return api_pages


def test_every_public_module_has_one_section(api_pages):
    texts = [api_pages.expand(path.read_text("utf-8"), ROOT) for path in APPENDIX.glob("api-*.md")]
    listed = [name for text in texts for name in re.findall(r"^\.\. automodule:: (\S+)$", text, re.MULTILINE)]
    existing = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in ROOT.glob("utils/*/*.py")
        if (path.parent / "__init__.py").exists() and not path.stem.startswith("_")
    ]
    assert sorted(listed) == sorted(existing)


def test_every_room_has_a_page_in_the_contents_and_a_summary(api_pages):
    rooms = {path.parent.name for path in ROOT.glob("utils/*/__init__.py")}
    assert set(api_pages.rooms(ROOT)) == rooms, "Apunta la habitación en scripts/lint_imports.py."
    contents = re.findall(r"file: chapters/apendices/api-(\w+)", (ROOT / "_toc.yml").read_text("utf-8"))
    assert contents == api_pages.rooms(ROOT), "En _toc.yml van todas, y en el orden en que se importan."
    for room in rooms:
        text = (APPENDIX / f"api-{room}.md").read_text("utf-8")
        assert re.fullmatch(rf"# `utils\.{room}` · .+\n\n```{{api-room}} {room}\n```\n", text), room
        assert api_pages.summary(ROOT, room).endswith("."), room
    assert f"- {{doc}}`api-{room}`. {api_pages.summary(ROOT, room)}" in api_pages.expand(
        (APPENDIX / "api.md").read_text("utf-8"), ROOT
    )


def house(root, **files: str):
    for name, source in {"__init__": '"""Del texto a los números.\n\nY más."""', **files}.items():
        path = root / f"utils/text/{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, "utf-8")
    return root


def test_a_module_goes_after_what_it_imports(api_pages, tmp_path):
    root = house(
        tmp_path,
        alpha="from utils.text.zeta import Z\nimport utils.text._private",
        beta="",
        _private="",
        zeta="def late():\n    from utils.text import beta",
    )
    assert api_pages.modules(root, "text") == ["utils.text.beta", "utils.text.zeta", "utils.text.alpha"]
    text = api_pages.expand("# Página\n\n```{api-room} text\n```\n", root)
    assert text.startswith("# Página\n\nDel texto a los números.\n\n## `utils.text.beta`\n") and "_private" not in text


def test_an_unknown_room_says_which_ones_there_are(api_pages, tmp_path):
    with pytest.raises(ValueError, match=r"«cocina» en utils; las que hay son: text\."):
        api_pages.expand("```{api-room} cocina\n```\n", house(tmp_path))


def test_the_pages_are_expanded_before_they_are_read():
    extensions = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["sphinx"]["local_extensions"]
    assert extensions["api_pages"] == "_ext"
