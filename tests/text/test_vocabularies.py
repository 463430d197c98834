"""Los vocabularios reales: los ids que dan los tokenizadores originales, ida y vuelta, y el error en español."""

import pytest

from utils.text.vocabularies import NAMES, load_vocabulary

TEXT = "Don't panic: la niña pingüino tiene 12345 años.\n\n  ¿VALE? GPT-4o, élan"
#: Calculados una vez con tiktoken y con el tokenizador de BERT de transformers, sobre TEXT.
EXPECTED = {
    "gpt2": [
        3987,
        470,
        13619,
        25,
        8591,
        37628,
        30644,
        29400,
        9116,
        2879,
        46668,
        1734,
        17031,
        2231,
        257,
        12654,
        418,
        13,
        628,
        220,
        1587,
        123,
        53,
        21358,
        30,
        402,
        11571,
        12,
        19,
        78,
        11,
        38251,
        9620,
    ],
    "cl100k": [
        8161,
        956,
        22743,
        25,
        1208,
        13080,
        18829,
        31098,
        2448,
        3394,
        24215,
        220,
        4513,
        1774,
        27846,
        382,
        220,
        29386,
        13114,
        877,
        30,
        480,
        2898,
        12,
        19,
        78,
        11,
        4046,
        10946,
    ],
    "o200k": [
        31559,
        40130,
        25,
        557,
        109111,
        30868,
        572,
        2081,
        10647,
        220,
        7633,
        2548,
        10756,
        364,
        220,
        12873,
        18967,
        1400,
        30,
        174803,
        12,
        19,
        78,
        11,
        1212,
        8068,
    ],
    "bert-uncased": [
        2123,
        1005,
        1056,
        6634,
        1024,
        2474,
        9401,
        17852,
        20023,
        2080,
        5495,
        2638,
        13138,
        19961,
        2019,
        2891,
        1012,
        1094,
        10380,
        1029,
        14246,
        2102,
        1011,
        1018,
        2080,
        1010,
        3449,
        2319,
    ],
}


@pytest.fixture(scope="module", params=NAMES)
def named(request):
    return request.param, load_vocabulary(request.param)


def test_sizes(named):
    name, tokenizer = named
    assert tokenizer.get_vocab_size() == {"gpt2": 50256, "bert-uncased": 30522, "cl100k": 100256, "o200k": 199998}[name]


def test_ids_of_the_original_tokenizers(named):
    name, tokenizer = named
    assert tokenizer.encode(TEXT).ids == EXPECTED[name]


def test_round_trip(named):
    name, tokenizer = named
    if name != "bert-uncased":
        assert tokenizer.decode(tokenizer.encode(TEXT).ids) == TEXT


def test_bert_loses_accents_and_capitals():
    text = load_vocabulary("bert-uncased").decode(load_vocabulary("bert-uncased").encode("La NIÑA pasó").ids)
    assert text == "la nina paso"


def test_unknown_vocabulary():
    with pytest.raises(ValueError, match="No hay un vocabulario «gpt5»"):
        load_vocabulary("gpt5")
