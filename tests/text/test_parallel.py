"""Las frases paralelas del lab 1 son las que dice su ficha: completas, sin repetir y cada una en su lengua."""

import json
import re

from utils.course.env import repo_root

FOLDER = repo_root() / "data" / "paralelo"
ROWS = [json.loads(line) for line in (FOLDER / "frases.jsonl").read_text("utf-8").splitlines()]


def test_the_card_tells_how_many_there_are():
    card = (FOLDER / "README.md").read_text("utf-8")
    assert f"{len(ROWS)} parejas" in card and f"`{ROWS[0]['id']}` a `{ROWS[-1]['id']}`" in card
    assert len({row["topic"] for row in ROWS}) == 14 and "catorce temas" in card


def test_every_pair_is_whole_and_nothing_is_repeated():
    assert [row["id"] for row in ROWS] == [f"par-{n:03d}" for n in range(len(ROWS))]
    for row in ROWS:
        assert set(row) == {"id", "topic", "es", "en"} and row["topic"].strip()
    for language in ("es", "en"):
        texts = [row[language] for row in ROWS]
        assert len(set(texts)) == len(texts)
        assert all(text == text.strip() and "  " not in text and text[-1] in ".?!" for text in texts)


def test_each_sentence_is_in_its_language():
    spanish, english = ({w for row in ROWS for w in re.findall(r"\w+", row[side].lower())} for side in ("es", "en"))
    assert {"el", "la", "que", "de"} <= spanish and {"the", "of", "is", "to"} <= english
    assert not re.search("[áéíóúñ¿¡]", " ".join(row["en"] for row in ROWS))


def test_the_two_sides_tell_about_the_same():
    """Ninguna lengua gana por contar más: las palabras por frase se parecen."""
    spanish, english = (sum(len(row[side].split()) for row in ROWS) / len(ROWS) for side in ("es", "en"))
    assert 6 < spanish < 12 and 0.85 < spanish / english < 1.15
