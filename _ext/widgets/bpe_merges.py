"""El widget `bpe-merges`: valida sus datos y escribe la tabla que se ve sin JavaScript.

Las fusiones de la tabla las calcula `utils.text.bpe_train` al construir el libro.
"""

import html
from itertools import islice, takewhile

from widget_text import check_text, code, only

from utils.text.bpe import ByteBPE
from utils.text.bpe_train import count_words, merge_steps

LONGEST = 160
SHOWN = 8


def parse(body: dict) -> dict:
    """Valida el YAML del widget, que solo lleva `text`; `ValueError` si no vale."""
    only(body, "text")
    check_text(body, "text", LONGEST)
    return {"text": body["text"]}


def repeated_merges(text: str) -> list[tuple[bytes, bytes, bytes, int]]:
    """Las fusiones de parejas que se repiten, como (izquierda, derecha, token nuevo, veces)."""
    bpe = ByteBPE()
    steps = takewhile(lambda step: step.count > 1, merge_steps(bpe, count_words(text)))
    return [(*(bpe.vocabulary[i] for i in step.pair), bpe.vocabulary[step.new], step.count) for step in steps]


def fallback(spec: dict) -> str:
    """La tabla estática, en HTML: las primeras fusiones del texto inicial."""
    rows = []
    for number, (left, right, token, count) in enumerate(islice(repeated_merges(spec["text"]), SHOWN), start=1):
        cells = f"<td>{_token(left)} + {_token(right)}</td><td>{_token(token)}</td>"
        rows.append(f'<tr><th scope="row">{number}</th>{cells}<td class="bm-number">{count}</td></tr>')
    head = "".join(f'<th scope="col">{name}</th>' for name in ("Fusión", "Pareja", "Token nuevo", "Apariciones"))
    caption = f"Las primeras fusiones de «{html.escape(spec['text'])}»"
    return (
        f'<table class="bm-table"><caption>{caption}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    )


def _token(token: bytes) -> str:
    return code(token.decode("utf-8", "backslashreplace").replace(" ", "·"))
