"""Los datos del lab 4: se rehacen igual, no mezclan train con test y están equilibrados."""

import json
from collections import Counter

import pytest

from scripts.build_prompts import build
from utils.course.env import repo_root
from utils.text.templates import render

FOLDER = repo_root() / "data" / "prompts"


def _rows(name):
    return [json.loads(line) for line in (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()]


def test_extraction_is_rebuilt_byte_by_byte():
    grammar = json.loads((FOLDER / "extraction_templates.json").read_text("utf-8"))
    assert build(grammar) == _rows("extraction")


def test_every_message_states_its_fields_once():
    messages = json.loads((FOLDER / "extraction_templates.json").read_text("utf-8"))["messages"]
    for row in _rows("extraction"):
        assert any(render(template, **row) == row["message"] for template in messages)
        assert all(row["message"].count(row[field]) == 1 for field in ("name", "day", "hour"))


@pytest.mark.parametrize(("name", "field"), [("extraction", "message"), ("sentiment", "text")])
def test_texts_are_unique_and_splits_are_disjoint(name, field):
    rows = _rows(name)
    assert len({row[field] for row in rows}) == len({row["id"] for row in rows}) == len(rows)
    sizes = Counter(row["split"] for row in rows)
    assert sizes["train"] >= 40 and sizes["test"] >= 120


def test_test_names_never_appear_in_train():
    names = {split: {r["name"] for r in _rows("extraction") if r["split"] == split} for split in ("train", "test")}
    assert not names["train"] & names["test"]


def test_sentiment_is_balanced_in_each_split():
    counts = Counter((row["split"], row["label"]) for row in _rows("sentiment"))
    assert counts["train", "positive"] == counts["train", "negative"]
    assert counts["test", "positive"] == counts["test", "negative"]
