"""El transformer: causalidad, relleno, gradientes, entrenar desde cero y errores claros."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from utils.model.attention import cross_entropy
from utils.model.blocks import ACTIVATIONS, FeedForward, LayerNorm, RMSNorm, gelu, gelu_tanh, relu, silu
from utils.model.transformer import Transformer, TransformerConfig

SMALL = {"vocab": 13, "dim": 16, "heads": 4, "hidden": 24, "max_positions": 12}
VARIANTS = {
    "Llama": {},
    "con grupos": {"kv_heads": 2},
    "2017": {"positions": "sinusoidal", "norm": "layer", "pre_norm": False, "activation": "relu", "bias": True},
    "GPT": {"positions": "learned", "norm": "layer", "activation": "gelu", "bias": True, "tied": False},
    "T5": {"positions": "relative", "max_positions": None, "activation": "geglu"},
}


def make(seed: int = 0, **changes) -> Transformer:
    torch.manual_seed(seed)
    model = Transformer(TransformerConfig(**(SMALL | changes))).eval()
    for parameter in model.parameters():  # con pesos de 0,02 todo se parece a todo
        nn.init.normal_(parameter, std=0.3)
    return model


def tokens(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 13, shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (relu, F.relu),
        (gelu, F.gelu),
        (gelu_tanh, lambda x: F.gelu(x, approximate="tanh")),
        (silu, F.silu),
        (LayerNorm(32), nn.LayerNorm(32)),
        (RMSNorm(32), nn.RMSNorm(32, eps=1e-6)),
    ],
)
def test_pieces_equal_torch(ours, theirs):
    x = torch.randn(4, 32, generator=torch.Generator().manual_seed(0)) * 5 + 1
    torch.testing.assert_close(ours(x), theirs(x), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("changes", VARIANTS.values(), ids=VARIANTS.keys())
def test_changing_token_t_never_moves_the_logits_before_t(changes):
    model, ids = make(decoder_layers=2, **changes), tokens(1, 8)
    with torch.no_grad():
        before = model(ids)
        for t in range(8):
            changed = ids.clone()
            changed[0, t] = (ids[0, t] + 1) % 13
            after = model(changed)
            assert torch.equal(after[:, :t], before[:, :t])
            assert not torch.allclose(after[:, t], before[:, t])


def test_without_causal_mask_every_position_moves():
    model, ids = make(encoder_layers=2), tokens(1, 8)
    changed = ids.clone()
    changed[0, 7] = (ids[0, 7] + 1) % 13
    with torch.no_grad():
        difference = (model(changed) - model(ids)).abs().amax(-1)[0]  # (T,)
    assert (difference > 1e-4).all()


@pytest.mark.parametrize("changes", VARIANTS.values(), ids=VARIANTS.keys())
def test_padding_does_not_change_the_answer(changes):
    model = make(encoder_layers=1, decoder_layers=1, **changes)
    source, target = tokens(1, 5), tokens(1, 4, seed=1)
    padded = F.pad(source, (0, 3), value=7)  # (1, 8)
    mask = torch.tensor([[1] * 5 + [0] * 3])
    with torch.no_grad():
        alone = model(target, source=source)
        torch.testing.assert_close(model(target, source=padded, source_mask=mask), alone, atol=1e-5, rtol=1e-5)
        assert not torch.allclose(model(target, source=padded), alone, atol=1e-3)


def test_encode_then_decode_is_the_whole_model_and_weights_sum_one():
    model, source, target = make(encoder_layers=2, decoder_layers=3), tokens(2, 5), tokens(2, 4, seed=1)
    mask = torch.tensor([[1] * 5, [1, 1, 1, 0, 0]])
    with torch.no_grad():
        logits, weights = model(target, source=source, source_mask=mask, return_weights=True)
        memory = model.encode(source, mask)
        torch.testing.assert_close(model.decode(target, memory, mask), logits)
    shapes = [[tuple(w.shape) for w in side] for side in (weights.encoder, weights.decoder, weights.cross)]
    assert shapes == [[(2, 4, 5, 5)] * 2, [(2, 4, 4, 4)] * 3, [(2, 4, 4, 5)] * 3]
    for side in (weights.encoder, weights.decoder, weights.cross):
        for layer in side:
            torch.testing.assert_close(layer.sum(-1), torch.ones(layer.shape[:3]))
    assert all((layer[1, ..., 3:] == 0).all() for layer in weights.encoder + weights.cross)


@pytest.mark.parametrize("changes", VARIANTS.values(), ids=VARIANTS.keys())
def test_gradients_equal_finite_differences(changes):
    model = make(encoder_layers=1, decoder_layers=1, **changes).double()
    source, target, labels = tokens(1, 4), tokens(1, 3, seed=1), tokens(1, 3, seed=2)

    def loss() -> torch.Tensor:
        return F.cross_entropy(model(target, source=source)[0], labels[0])

    loss().backward()
    generator = torch.Generator().manual_seed(0)
    for name, parameter in model.named_parameters():
        place = torch.randint(0, parameter.numel(), (1,), generator=generator).item()
        flat = parameter.data.view(-1)
        value, step = flat[place].item(), 1e-5
        with torch.no_grad():
            flat[place] = value + step
            up = loss().item()
            flat[place] = value - step
            down = loss().item()
            flat[place] = value
        assert parameter.grad.view(-1)[place].item() == pytest.approx((up - down) / (2 * step), abs=1e-7), name


def test_initial_loss_is_the_logarithm_of_the_vocabulary():
    torch.manual_seed(0)
    model = Transformer(TransformerConfig(vocab=1000, dim=64, decoder_layers=2))
    ids = torch.randint(0, 1000, (4, 33), generator=torch.Generator().manual_seed(0))
    assert cross_entropy(model(ids[:, :-1]), ids[:, 1:]).item() == pytest.approx(math.log(1000), abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_decoder_with_rope_rmsnorm_and_swiglu_learns_to_repeat(seed):
    """Tras «separador», repetir seis símbolos que no se habían visto juntos: solo se puede mirando atrás."""
    torch.manual_seed(seed)
    model = Transformer(TransformerConfig(vocab=9, dim=48, heads=4, decoder_layers=2, max_positions=16))
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01)

    def batch(rows: int) -> torch.Tensor:
        symbols = torch.randint(0, 8, (rows, 6))
        return torch.cat([symbols, torch.full((rows, 1), 8), symbols], dim=1)  # (B, 13)

    for step in range(300):
        for group in optimizer.param_groups:
            group["lr"] = 3e-3 * min(1.0, (step + 1) / 50)
        ids = batch(64)
        labels = ids[:, 1:].clone()
        labels[:, :6] = -100
        loss = cross_entropy(model(ids[:, :-1]), labels)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    test = batch(200)
    with torch.no_grad():
        guessed = model(test[:, :-1])[:, 6:].argmax(-1)
    assert (guessed == test[:, 7:]).all(dim=1).float().mean() > 0.95


def test_dropout_acts_only_when_training():
    model, ids = make(decoder_layers=1, dropout=0.5), tokens(1, 6)
    assert torch.equal(model(ids), model(ids))
    model.train()
    assert not torch.equal(model(ids), model(ids))


def test_gated_activations_have_a_gate():
    assert {name for name, (_, gated) in ACTIVATIONS.items() if gated} == {"geglu", "swiglu"}
    assert FeedForward(4, 8, "relu").gate is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: make(), "no tiene capas"),
        (lambda: make(decoder_layers=1, heads=3), "3 cabezas no dividen"),
        (lambda: make(decoder_layers=1, kv_heads=3), "3 cabezas de clave"),
        (lambda: make(decoder_layers=1, activation="tanh"), "activación «tanh»"),
        (lambda: make(decoder_layers=1, positions="alibi"), "posiciones «alibi»"),
        (lambda: make(decoder_layers=1, norm="batch"), "norma «batch»"),
        (lambda: make(decoder_layers=1, max_positions=None), "necesitan un máximo"),
        (lambda: make(decoder_layers=1)(tokens(1, 13)), "llega a 13 tokens y el modelo tiene 12 posiciones"),
        (lambda: make(decoder_layers=1)(torch.tensor([[13]])), "fuera del vocabulario"),
        (lambda: make(decoder_layers=1)(torch.zeros(1, 0).long()), "sin dimensiones vacías"),
        (lambda: make(decoder_layers=1)(tokens(4)), r"deben tener forma \(B, T\)"),
        (lambda: make(decoder_layers=1)(tokens(1, 4), torch.ones(1, 5)), r"\(1, 5\) y debe ser \(1, 4\)"),
        (lambda: make(encoder_layers=1, decoder_layers=1)(tokens(1, 4)), "pasa también source="),
        (
            lambda: make(encoder_layers=1, decoder_layers=1)(
                tokens(1, 4), source=tokens(1, 5), source_mask=torch.ones(1, 4)
            ),
            r"\(1, 4\) y debe ser \(1, 5\)",
        ),
        (lambda: make(decoder_layers=1).encode(tokens(1, 4)), "no tiene codificador"),
        (lambda: make(decoder_layers=1).decode(tokens(1, 4), torch.zeros(1, 2, 16)), "llama al modelo directamente"),
    ],
)
def test_bad_input_says_what_to_do(call, message):
    with pytest.raises(ValueError, match=message):
        call()
