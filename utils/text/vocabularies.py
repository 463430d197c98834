"""Vocabularios de modelos reales, sin red: GPT-2, BERT en inglés, y los de GPT-4 (cl100k) y GPT-4o (o200k).

Los archivos están en `data/vocabularios`, con su licencia: las fusiones de los BPE y las piezas de WordPiece. Aquí se
convierten en un `Tokenizer` de la biblioteca `tokenizers`, con el corte en palabras de cada uno. No trae los modelos
ni sus tokens especiales: solo sirve para partir texto corriente.
"""

import lzma

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

from utils.course.env import repo_root
from utils.text.pretokenize import GPT2_PATTERN, byte_symbols

# Los cortes en palabras de tiktoken, MIT: https://github.com/openai/tiktoken/blob/main/tiktoken_ext/openai_public.py
_CL100K = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_O200K = (
    rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    rf"|[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
    r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_PATTERNS = {"gpt2": GPT2_PATTERN, "cl100k": _CL100K, "o200k": _O200K}
NAMES = ("gpt2", "bert-uncased", "cl100k", "o200k")


def load_vocabulary(name: str) -> Tokenizer:
    """El tokenizador de un modelo real; los nombres están en `NAMES`. ValueError si no es uno de ellos.

    >>> load_vocabulary("gpt2").encode("Hello world").tokens
    ['Hello', 'Ġworld']
    """
    if name not in NAMES:
        raise ValueError(f"No hay un vocabulario «{name}»: los que hay son {', '.join(NAMES)}.")
    lines = lzma.decompress((repo_root() / "data" / "vocabularios" / f"{name}.txt.xz").read_bytes()).decode("utf-8")
    return _byte_level(lines.splitlines(), _PATTERNS[name]) if name in _PATTERNS else _wordpiece(lines.splitlines())


def _byte_level(lines: list[str], pattern: str) -> Tokenizer:
    merges = [tuple(line.split(" ")) for line in lines]
    ids = {symbol: i for i, symbol in enumerate(byte_symbols().values())}
    for left, right in merges:
        ids.setdefault(left + right, len(ids))
    tokenizer = Tokenizer(models.BPE(ids, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _wordpiece(lines: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(lines)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)  # también quita las tildes: «niño» es «nino»
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer
