"""La búsqueda en haz frente a `generate(num_beams=k)` y frente a la búsqueda exhaustiva."""

import itertools

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, T5Config, T5ForConditionalGeneration

from utils.course import hub
from utils.model.beam import beam_search
from utils.model.decoding import generate
from utils.model.logprobs import sequence_logprob

VOCAB, PAD, EOS = 50, 0, 1


def tiny_llama(vocab: int = VOCAB, seed: int = 0) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocab, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, pad_token_id=PAD, eos_token_id=EOS, bos_token_id=2, initializer_range=0.3,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval()


def tiny_t5() -> T5ForConditionalGeneration:
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=VOCAB, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, pad_token_id=PAD,
        eos_token_id=EOS, decoder_start_token_id=PAD, tie_word_embeddings=False,
    )  # fmt: skip
    model = T5ForConditionalGeneration(config).eval()
    torch.nn.init.normal_(model.lm_head.weight, std=0.3)
    return model


@pytest.fixture(scope="module", params=["llama", "t5"])
def tiny(request):
    return tiny_llama() if request.param == "llama" else tiny_t5()


def reference(model, ids, num_beams, **options):
    """Las frases y puntuaciones de transformers, sin el prompt ni el relleno del final."""
    if num_beams > 1:
        options["num_return_sequences"] = num_beams
    output = model.generate(
        input_ids=ids, attention_mask=torch.ones_like(ids), do_sample=False, num_beams=num_beams,
        return_dict_in_generate=True, output_scores=True, **options,
    )  # fmt: skip
    skip = 1 if model.config.is_encoder_decoder else ids.shape[1]
    scores = output.sequences_scores.tolist() if num_beams > 1 else [None]
    return output.sequences[:, skip:].tolist(), scores


def same_ids(ours: list[int], theirs: list[int]) -> bool:
    """Iguales hasta donde llega la nuestra; lo que sigue en la de transformers es solo relleno."""
    return theirs[: len(ours)] == ours and set(theirs[len(ours) :]) <= {PAD, EOS}


@pytest.mark.parametrize("early_stopping", [False, True, "never"])
@pytest.mark.parametrize("length_penalty", [0.0, 0.6, 1.0, 2.0, -0.5])
@pytest.mark.parametrize("num_beams", [2, 3, 5])
def test_every_beam_equals_transformers(tiny, num_beams, length_penalty, early_stopping):
    ends = set()
    for seed in range(2):
        ids = torch.randint(3, VOCAB, (1, 5), generator=torch.Generator().manual_seed(seed))
        # Un fin que el modelo emite a menudo: así las frases acaban a distinta longitud.
        end = int(generate(tiny, ids, max_new_tokens=3, eos_token_id=[])[0, -1])
        options = {"length_penalty": length_penalty, "early_stopping": early_stopping, "max_new_tokens": 8}
        ours = beam_search(tiny, ids, num_beams=num_beams, eos_token_id=end, **options)
        theirs, scores = reference(tiny, ids, num_beams, eos_token_id=end, **options)
        for mine, yours in zip(ours, theirs, strict=True):
            assert yours[: len(mine.ids)] == mine.ids
        assert [beam.score for beam in ours] == pytest.approx(scores, abs=1e-4)
        ends |= {len(beam.ids) for beam in ours}
    assert len(ends) > 1 or length_penalty >= 1  # si premia lo largo, pueden llegar todas al máximo


def test_two_end_tokens(tiny):
    ids = torch.tensor([[7, 8, 9]])
    ends = generate(tiny, ids, max_new_tokens=4, eos_token_id=[])[0, 1:3].tolist()
    ours = beam_search(tiny, ids, num_beams=3, max_new_tokens=10, eos_token_id=ends)
    theirs, scores = reference(tiny, ids, 3, max_new_tokens=10, eos_token_id=ends)
    assert [beam.score for beam in ours] == pytest.approx(scores, abs=1e-4)
    assert all(yours[: len(mine.ids)] == mine.ids for mine, yours in zip(ours, theirs, strict=True))


def test_one_beam_is_greedy(tiny):
    for seed in range(5):
        ids = torch.randint(3, VOCAB, (1, 4), generator=torch.Generator().manual_seed(seed))
        (only,) = beam_search(tiny, ids, num_beams=1, max_new_tokens=15)
        assert only.ids == generate(tiny, ids, max_new_tokens=15)[0].tolist()


def test_left_padding_does_not_change_the_answer():
    model = tiny_llama()
    ids = torch.tensor([[7, 8, 9]])
    padded, mask = torch.tensor([[PAD, PAD, 7, 8, 9]]), torch.tensor([[0, 0, 1, 1, 1]])
    alone = beam_search(model, ids, num_beams=3, max_new_tokens=6)
    together = beam_search(model, padded, mask, num_beams=3, max_new_tokens=6)
    assert [beam.ids for beam in alone] == [beam.ids for beam in together]


def test_a_beam_as_wide_as_the_vocabulary_is_exhaustive_at_two_tokens():
    vocab, prompt = 6, [3, 4]
    model = tiny_llama(vocab)
    rows = torch.tensor([[*prompt, *tail] for tail in itertools.product(range(vocab), repeat=2)])  # (V², 4)
    every = sequence_logprob(model, rows, None, rows.clone().index_fill_(1, torch.tensor([0, 1]), -100))  # (V²,)
    beams = beam_search(model, torch.tensor([prompt]), num_beams=vocab, max_new_tokens=2, eos_token_id=[])
    best = every.topk(vocab)
    assert [beam.ids for beam in beams] == rows[best.indices, 2:].tolist()
    assert [beam.logprob for beam in beams] == pytest.approx(best.values.tolist(), abs=1e-4)


def test_bad_input_says_what_to_do_in_spanish(tiny):
    ids = torch.tensor([[3, 4]])
    cases = [
        (lambda: beam_search(tiny, ids[:, :0], num_beams=2, max_new_tokens=3), "tokeniza al menos un texto"),
        (lambda: beam_search(tiny, ids.repeat(2, 1), num_beams=2, max_new_tokens=3), "un prompt cada vez"),
        (lambda: beam_search(tiny, ids, num_beams=0, max_new_tokens=3), "1 es la voraz"),
        (lambda: beam_search(tiny, ids, num_beams=True, max_new_tokens=3), "entero"),
        (lambda: beam_search(tiny, ids, num_beams=51, max_new_tokens=3), "supera el vocabulario"),
        (lambda: beam_search(tiny, ids, num_beams=2, max_new_tokens=0), "max_new_tokens"),
        (lambda: beam_search(tiny, ids, num_beams=2, max_new_tokens=3, early_stopping="nunca"), "early_stopping"),
        (lambda: beam_search(tiny, ids, ids[:, :1], num_beams=2, max_new_tokens=3), "attention_mask"),
    ]
    for call, message in cases:
        with pytest.raises(ValueError, match=message):
            call()
    if not tiny.config.is_encoder_decoder:
        with pytest.raises(ValueError, match="relleno a la derecha"):
            beam_search(tiny, ids, torch.tensor([[1, 0]]), num_beams=2, max_new_tokens=3)
        limit = tiny.config.max_position_embeddings
        with pytest.raises(ValueError, match=f"el modelo tiene {limit} posiciones"):
            beam_search(tiny, ids, num_beams=2, max_new_tokens=limit)


PROMPTS = {
    "causal": ["Ana: Hola", "La tienda abre", "¿Qué tal"],
    "seq2seq": ["¿De qué trata este diálogo?\nAna: Quiero un café.", "Traduce al inglés: la casa es grande."],
    "seq2seq-base": ["La reunión es el <extra_0> por la tarde.", "Marta pidió una cita para el jueves."],
}


@pytest.mark.slow
@pytest.mark.parametrize("num_beams", [1, 2, 4])
@pytest.mark.parametrize("role", PROMPTS)
def test_equals_transformers_on_the_minis(role, num_beams, monkeypatch):
    monkeypatch.setenv("CURSO_ESCALA", "mini")
    model, tokenizer = hub.load_model(role), hub.load_tokenizer(role)
    for prompt in PROMPTS[role]:
        ids = tokenizer(prompt, return_tensors="pt").input_ids
        ours = beam_search(model, ids, num_beams=num_beams, max_new_tokens=24)
        theirs, _ = reference(model, ids, num_beams, max_new_tokens=24)
        assert all(same_ids(mine.ids, yours) for mine, yours in zip(ours, theirs, strict=True)), prompt
