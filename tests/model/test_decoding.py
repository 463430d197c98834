"""generate, generate_texts y sequence_logprob frente a transformers, con modelos diminutos al azar y relleno."""

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM, T5Config, T5ForConditionalGeneration

from utils.model import decoding
from utils.model.batching import pad
from utils.model.decoding import generate, generate_texts
from utils.model.logprobs import sequence_logprob

VOCAB, PAD, EOS = 50, 0, 1
LENGTHS = (7, 3, 5, 1)


@pytest.fixture(scope="module")
def llama():
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=VOCAB, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, pad_token_id=PAD, eos_token_id=EOS, bos_token_id=2, initializer_range=0.3,
    )  # fmt: skip
    return LlamaForCausalLM(config).eval()


@pytest.fixture(scope="module")
def t5():
    torch.manual_seed(0)
    config = T5Config(
        vocab_size=VOCAB, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, pad_token_id=PAD,
        eos_token_id=EOS, decoder_start_token_id=PAD, initializer_factor=1.0, tie_word_embeddings=False,
    )  # fmt: skip
    model = T5ForConditionalGeneration(config).eval()
    torch.nn.init.normal_(model.lm_head.weight, std=0.5)
    return model


def batch(side: str, seed: int = 0, lengths=LENGTHS) -> tuple[torch.Tensor, torch.Tensor]:
    """Prompts al azar de longitud distinta, con relleno al lado pedido: (B, T) y su máscara."""
    generator = torch.Generator().manual_seed(seed)
    ids = torch.full((len(lengths), max(lengths)), PAD)
    mask = torch.zeros_like(ids)
    for row, n in enumerate(lengths):
        place = slice(max(lengths) - n, None) if side == "left" else slice(0, n)
        ids[row, place] = torch.randint(3, VOCAB, (n,), generator=generator)
        mask[row, place] = 1
    return ids, mask


@pytest.fixture(params=["llama", "t5"])
def kind(request):
    side = {"llama": "left", "t5": "right"}[request.param]
    return request.getfixturevalue(request.param), side


def reference(model, ids, mask, **options):
    output = model.generate(input_ids=ids, attention_mask=mask, do_sample=False, **options)
    return output[:, 1:] if model.config.is_encoder_decoder else output[:, ids.shape[1] :]


@pytest.mark.parametrize("seed", range(6))
def test_greedy_is_token_identical_to_transformers(kind, seed):
    model, side = kind
    ids, mask = batch(side, seed)
    ours = generate(model, ids, mask, max_new_tokens=20)
    assert torch.equal(ours, reference(model, ids, mask, max_new_tokens=20))
    assert len(set(map(tuple, ours.tolist()))) > 1  # con filas iguales no se vería el relleno


def test_each_row_stops_at_its_own_eos(kind):
    model, side = kind
    stopped_early = 0
    for seed in range(8):
        ids, mask = batch(side, seed)
        free = generate(model, ids, mask, max_new_tokens=12, eos_token_id=[])
        # Se toma como fin un token que una fila emite pronto y se compara con transformers.
        end = int(free[0, 2])
        ours = generate(model, ids, mask, max_new_tokens=12, eos_token_id=end)
        assert torch.equal(ours, reference(model, ids, mask, max_new_tokens=12, eos_token_id=end))
        for row, whole in zip(ours.tolist(), free.tolist(), strict=True):
            if end in row:
                cut = row.index(end) + 1
                assert row[:cut] == whole[:cut]
                assert set(row[cut:]) <= {PAD}
                stopped_early += cut < len(row)
    assert stopped_early > 0


def test_penalty_in_generation_equals_transformers_without_padding(kind):
    model, side = kind
    ids, mask = batch(side, 3, lengths=(6, 6))
    ours = generate(model, ids, mask, max_new_tokens=15, repetition_penalty=1.7)
    assert torch.equal(ours, reference(model, ids, mask, max_new_tokens=15, repetition_penalty=1.7))
    assert not torch.equal(ours, generate(model, ids, mask, max_new_tokens=15))


@pytest.mark.parametrize("penalty", [1.0, 1.4])
def test_padding_does_not_change_the_answer(kind, penalty):
    model, side = kind
    ids, mask = batch(side, 5)
    options = {"max_new_tokens": 10, "eos_token_id": [], "repetition_penalty": penalty}
    together = generate(model, ids, mask, **options)
    for row in range(len(ids)):
        alone = generate(model, ids[row : row + 1, mask[row].bool()], **options)
        assert torch.equal(together[row], alone[0])


def test_padding_is_not_penalised_whatever_its_id(llama):
    ids, mask = batch("left", 5)
    options = {"max_new_tokens": 10, "eos_token_id": [], "repetition_penalty": 1.4}
    expected = generate(llama, ids, mask, **options)
    for filler in expected[mask[:, 0] == 0].unique().tolist():  # tokens que esas filas sí quieren emitir
        assert torch.equal(expected, generate(llama, ids.masked_fill(mask == 0, filler), mask, **options))


def test_sampling_is_reproducible_by_seed(kind):
    model, side = kind
    ids, mask = batch(side)
    options = {"max_new_tokens": 15, "temperature": 1.5, "top_k": 30, "top_p": 0.95}
    first = generate(model, ids, mask, seed=7, **options)
    torch.rand(5)  # el generador global no interviene
    assert torch.equal(first, generate(model, ids, mask, seed=7, **options))
    assert not torch.equal(first, generate(model, ids, mask, seed=8, **options))
    state = torch.random.get_rng_state()
    generate(model, ids, mask, seed=7, **options)
    assert torch.equal(state, torch.random.get_rng_state())


def test_sampling_with_one_candidate_is_greedy(kind):
    model, side = kind
    ids, mask = batch(side)
    greedy = generate(model, ids, mask, max_new_tokens=8)
    assert torch.equal(greedy, generate(model, ids, mask, max_new_tokens=8, temperature=2.0, top_k=1, seed=0))
    assert torch.equal(greedy, generate(model, ids, mask, max_new_tokens=8, temperature=1e-4, seed=0))


def test_encoder_runs_once(t5):
    calls = []
    hook = t5.get_encoder().register_forward_hook(lambda *_: calls.append(1))
    generate(t5, *batch("right"), max_new_tokens=6, eos_token_id=[])
    hook.remove()
    assert len(calls) == 1


def test_after_the_prefill_one_token_enters_per_step(llama):
    widths = []
    embeddings = llama.get_input_embeddings()
    hook = embeddings.register_forward_hook(lambda _m, args, _o: widths.append(args[0].shape[1]))
    generate(llama, *batch("left"), max_new_tokens=5, eos_token_id=[])
    hook.remove()
    assert widths == [max(LENGTHS), 1, 1, 1, 1]


def test_exactly_the_positions_of_the_model_fit(llama, monkeypatch):
    monkeypatch.setattr(llama.config, "max_position_embeddings", 10)
    ids, mask = batch("left")  # la fila más larga tiene 7 tokens de verdad
    assert generate(llama, ids, mask, max_new_tokens=4, eos_token_id=[]).shape == (4, 4)  # el cuarto no se lee
    with pytest.raises(ValueError, match="llega a 11 tokens y el modelo tiene 10 posiciones: recórtala"):
        generate(llama, ids, mask, max_new_tokens=5)
    wider = torch.nn.functional.pad(ids, (5, 0)), torch.nn.functional.pad(mask, (5, 0))  # el relleno no cuenta
    assert generate(llama, *wider, max_new_tokens=4, eos_token_id=[]).shape == (4, 4)
    long = torch.randint(3, VOCAB, (1, 11))
    with pytest.raises(ValueError, match="llega a 11 tokens"):
        sequence_logprob(llama, long, None, long)


def test_generate_rejects_bad_input(llama, t5):
    ids, mask = batch("left")
    cases = [
        (lambda: generate(llama, ids[:0], max_new_tokens=3), "al menos un texto"),
        (lambda: generate(llama, ids[:, :0], max_new_tokens=3), "al menos un texto"),
        (lambda: generate(llama, ids[0], max_new_tokens=3), r"\(B, T\)"),
        (lambda: generate(llama, ids, mask[:, 1:], max_new_tokens=3), "attention_mask"),
        (lambda: generate(llama, ids, mask * 0, max_new_tokens=3), "textos vacíos"),
        (lambda: generate(llama, *batch("right"), max_new_tokens=3), "padding_side = 'left'"),
        (lambda: generate(llama, ids, mask, max_new_tokens=0), "max_new_tokens"),
        (lambda: generate(llama, ids, mask, max_new_tokens=3, top_k=5), "pasa también una temperatura"),
        (lambda: generate(llama, ids, mask, max_new_tokens=3, temperature=0.0, seed=0), "temperature=None"),
        (lambda: generate(t5, ids, mask, max_new_tokens=3, temperature=1.0, top_k=51, seed=0), "50 tokens"),
    ]
    for call, message in cases:
        with pytest.raises(ValueError, match=message):
            call()


# --- sequence_logprob -----------------------------------------------------------------------------


def test_logprob_of_decoder_only_equals_one_by_one(llama):
    prompts, answers = [[5, 9, 4], [7], [8, 3, 3, 6, 12]], [[11, 1], [20, 21, 22, 1], [1]]
    width = max(len(p) + len(a) for p, a in zip(prompts, answers, strict=True))
    expected = []
    for prompt, answer in zip(prompts, answers, strict=True):
        logprobs = llama(torch.tensor([prompt + answer])).logits.log_softmax(-1)[0]
        expected.append(sum(logprobs[len(prompt) - 1 + i, token].item() for i, token in enumerate(answer)))
    for side in ("left", "right"):
        ids, mask, labels = [], [], []
        for prompt, answer in zip(prompts, answers, strict=True):
            n = width - len(prompt) - len(answer)
            left, right = (n, 0) if side == "left" else (0, n)
            ids.append([PAD] * left + prompt + answer + [PAD] * right)
            mask.append([0] * left + [1] * (width - n) + [0] * right)
            labels.append([-100] * (left + len(prompt)) + answer + [-100] * right)
        got = sequence_logprob(llama, torch.tensor(ids), torch.tensor(mask), torch.tensor(labels))
        assert got.tolist() == pytest.approx(expected, abs=1e-4)


def test_logprob_of_encoder_decoder_equals_one_by_one(t5):
    ids, mask = batch("right")
    answers = [[11, 1], [20, 21, 22, 1], [1], [5, 6, 1]]
    labels = torch.tensor([a + [-100] * (4 - len(a)) for a in answers])
    got = sequence_logprob(t5, ids, mask, labels)
    for row, answer in enumerate(answers):
        decoder_ids = torch.tensor([[PAD, *answer[:-1]]])
        logits = t5(input_ids=ids[row : row + 1, mask[row].bool()], decoder_input_ids=decoder_ids).logits
        expected = logits.log_softmax(-1)[0, range(len(answer)), answer].sum().item()
        assert got[row].item() == pytest.approx(expected, abs=1e-4)


def test_logprob_is_minus_the_summed_loss(kind):
    model, side = kind
    ids, _ = batch(side, lengths=(6,))
    labels = ids.clone()
    if not model.config.is_encoder_decoder:
        labels[:, 0] = -100
    loss = model(input_ids=ids, labels=labels).loss
    count = (labels != -100).sum()
    expected = -(loss * count).item()
    assert sequence_logprob(model, ids, None, labels).item() == pytest.approx(expected, rel=1e-5)


def test_logprob_rejects_labels_it_cannot_score(llama, t5):
    ids, mask = batch("left")
    cases = [
        (llama, ids, mask, torch.full_like(ids, -100), "no hay respuesta"),
        (llama, ids, mask, ids, "antepón el de inicio"),
        (llama, ids, mask, ids.masked_fill(mask.cumsum(1) < 1, -100), "antepón el de inicio"),
        (llama, ids, mask, ids[:, 1:], "forma de input_ids"),
        (llama, ids, mask, ids[:2], "B = 4"),
        (t5, ids, mask, ids.masked_fill(mask == 0, -100), "solo a la derecha"),
    ]
    for model, inputs, attention, labels, message in cases:
        with pytest.raises(ValueError, match=message):
            sequence_logprob(model, inputs, attention, labels)


# --- generate_texts -------------------------------------------------------------------------------


class Letters:
    """Un tokenizador de letras, con lo justo para `generate_texts`."""

    def __call__(self, texts, padding, truncation, max_length, return_tensors):
        from transformers import BatchEncoding

        rows = [[ord(c) for c in text[:max_length]] for text in texts]
        ids = pad(rows, 0)
        return BatchEncoding({"input_ids": ids, "attention_mask": (ids != 0).long()})

    def batch_decode(self, ids, skip_special_tokens):
        return [" " + "".join(chr(i) for i in row if i) for row in ids.tolist()]


@pytest.mark.parametrize("size", [1, 2, 50])
def test_texts_come_back_in_the_order_of_the_prompts(monkeypatch, size):
    calls = []

    def echo(model, ids, mask, max_new_tokens, **options):
        calls.append((len(ids), options))
        return ids[:, :max_new_tokens]

    monkeypatch.setattr(decoding, "generate", echo)
    prompts = ["una frase larga", "corta", "mediana es", "x", "otra más"]
    texts = generate_texts(torch.nn.Linear(1, 1), Letters(), prompts, max_new_tokens=4, batch_size=size, top_k=3)
    assert texts == [prompt[:4].strip() for prompt in prompts]
    assert sum(n for n, _ in calls) == 5 and max(n for n, _ in calls) == min(size, 5)
    assert all(options == {"top_k": 3} for _, options in calls)


def test_an_empty_prompt_is_explained():
    with pytest.raises(ValueError, match="El prompt número 1 está vacío"):
        generate_texts(None, None, ["hola", " "], max_new_tokens=1)
