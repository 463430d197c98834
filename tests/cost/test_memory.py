"""La memoria predicha y la medida: pesos, gradientes y optimizador exactos, y activaciones."""

import gc
import weakref

import numpy
import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from utils.cost.activations import decoder_activation_bytes, layer_bytes, transformer_activation_bytes
from utils.cost.decoder_shape import DecoderShape
from utils.cost.live_storage import LiveStorage
from utils.cost.memory import OPTIMIZERS, gpus_that_fit, optimizer_bytes, training_memory
from utils.cost.saved_tensors import SavedTensors, measured_bytes, storage_bytes
from utils.model.attention import cross_entropy
from utils.model.transformer import Transformer, TransformerConfig


def llama(layers=2, dim=32, heads=4, hidden=80, vocab=101, kv_heads=None, tied=False, attention="sdpa", head_dim=None):
    torch.manual_seed(0)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocab,
            hidden_size=dim,
            intermediate_size=hidden,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            num_key_value_heads=kv_heads or heads,
            head_dim=head_dim or dim // heads,
            tie_word_embeddings=tied,
            attn_implementation=attention,
            use_cache=False,
        )
    ).train()


SHAPES = [{}, {"layers": 3, "kv_heads": 2}, {"dim": 48, "head_dim": 16, "tied": True}, {"hidden": 200, "vocab": 999}]
TORCH_OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.1),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.1),
    "adafactor": lambda p: torch.optim.Adafactor(p, lr=0.1),
}


@pytest.mark.parametrize("options", SHAPES)
def test_shapes_are_those_of_llama(options):
    model = llama(**options)
    shape = DecoderShape.from_config(model.config)
    assert sorted(shape.shapes()) == sorted(tuple(p.shape) for p in model.parameters())
    assert shape.parameters == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_weights_gradients_and_states_are_exact(name, dtype):
    model = llama(tied=True).to(dtype)
    shape = DecoderShape.from_config(model.config)
    optimizer = TORCH_OPTIMIZERS[name](model.parameters())
    ids = torch.randint(0, 101, (2, 9))
    model(input_ids=ids, labels=ids).loss.backward()
    optimizer.step()
    precision = "fp32" if dtype == torch.float32 else "bf16"
    predicted = training_memory(shape, batch=2, length=9, precision=precision, optimizer=name)
    assert measured_bytes(model, optimizer) == {
        "pesos": predicted.weights,
        "gradientes": predicted.gradients,
        "optimizador": predicted.optimizer,
    }


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_frozen_and_unused_parameters_cost_only_their_weights(name):
    model = llama(tied=True)
    model.model.layers[0].requires_grad_(False)
    model.extra = torch.nn.Linear(3, 3)  # nadie la usa
    optimizer = TORCH_OPTIMIZERS[name](model.parameters())
    ids = torch.randint(0, 101, (2, 9))
    model(input_ids=ids, labels=ids).loss.backward()
    optimizer.step()
    trained = [
        p for p in model.parameters() if p.requires_grad and p is not model.extra.weight and p is not model.extra.bias
    ]
    assert measured_bytes(model, optimizer) == {
        "pesos": 4 * (DecoderShape.from_config(model.config).parameters + 12),
        "gradientes": 4 * sum(p.numel() for p in trained),
        "optimizador": optimizer_bytes([tuple(p.shape) for p in trained], name),
    }


CASES = [
    *[(options, 3, 17, "sdpa", torch.float32, False) for options in SHAPES],
    ({}, 3, 17, "eager", torch.float32, False),
    ({"kv_heads": 2}, 2, 40, "eager", torch.float32, False),
    ({}, 1, 64, "sdpa", torch.bfloat16, False),
    ({}, 2, 33, "eager", torch.bfloat16, False),
    ({"layers": 4}, 3, 17, "sdpa", torch.float32, True),
    ({"layers": 4}, 3, 17, "eager", torch.bfloat16, True),
]


@pytest.mark.parametrize(("options", "batch", "length", "attention", "dtype", "checkpointing"), CASES)
def test_saved_activations_of_llama(options, batch, length, attention, dtype, checkpointing):
    model = llama(**options, attention=attention).to(dtype)
    if checkpointing:
        model.activation_checkpointing_enable()
    ids = torch.randint(0, model.config.vocab_size, (batch, length))
    with SavedTensors(model) as saved:
        model(input_ids=ids, labels=ids)
    predicted = decoder_activation_bytes(
        DecoderShape.from_config(model.config),
        batch=batch,
        length=length,
        value_bytes=torch.finfo(dtype).bits // 8,
        attention=attention,
        checkpointing=checkpointing,
    )
    assert sum(predicted.values()) == pytest.approx(saved.bytes, rel=0.01)


@pytest.mark.parametrize(
    ("layers", "batch", "length", "source"),
    [((0, 2), 3, 17, None), ((2, 0), 2, 20, None), ((1, 1), 3, 17, 13), ((2, 3), 2, 9, 40)],
)
def test_saved_activations_of_our_transformer(layers, batch, length, source):
    config = TransformerConfig(vocab=101, dim=32, hidden=80, encoder_layers=layers[0], decoder_layers=layers[1])
    model, ids = Transformer(config), torch.randint(0, 101, (batch, length))
    read = None if source is None else torch.randint(0, 101, (batch, source))
    with SavedTensors(model) as saved:
        cross_entropy(model(ids, source=read), ids)
    predicted = transformer_activation_bytes(config, batch=batch, length=length, source_length=source)
    assert sum(predicted.values()) == pytest.approx(saved.bytes, rel=0.01)


SMALL_HEAD = {"vocab": 500, "layers": 6, "dim": 128, "hidden": 512}
WIDE_HEAD = {"vocab": 4096, "dim": 128, "hidden": 344}
PEAKS = [
    # (forma, optimizador, lote, longitud, atención, tipo, checkpointing, momento más lleno)
    *[(WIDE_HEAD, name, 4, 64, "sdpa", torch.float32, False, "loss") for name in OPTIMIZERS],
    (WIDE_HEAD, "adamw", 4, 64, "sdpa", torch.bfloat16, False, "loss"),
    (WIDE_HEAD | {"layers": 6}, "adamw", 4, 256, "sdpa", torch.bfloat16, True, "loss"),
    (WIDE_HEAD | {"tied": True, "kv_heads": 1}, "sgd", 4, 64, "sdpa", torch.float32, False, "loss"),
    (WIDE_HEAD, "adamw", 1, 8, "sdpa", torch.bfloat16, False, "step"),
    (WIDE_HEAD, "adafactor", 1, 8, "sdpa", torch.float32, False, "step"),
    (WIDE_HEAD, "momentum", 1, 8, "sdpa", torch.float32, False, "embeddings"),
    (WIDE_HEAD | {"tied": True}, "adamw", 1, 8, "sdpa", torch.float32, False, "embeddings"),
    (SMALL_HEAD, "adamw", 2, 256, "eager", torch.float32, False, "loss"),
    (SMALL_HEAD, "adamw", 2, 256, "sdpa", torch.bfloat16, True, "last layer"),
    (SMALL_HEAD, "adamw", 1, 64, "sdpa", torch.float32, False, "last layer"),
    (SMALL_HEAD | {"hidden": 3000}, "sgd", 2, 64, "sdpa", torch.float32, False, "first layer"),
]


def measured_peak(model, optimizer, ids) -> int:
    """El pico de un paso, con los estados del optimizador ya creados y sin gradientes."""

    def step():
        model(input_ids=ids, labels=ids).loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    step()
    gc.collect()
    states = (t for state in optimizer.state.values() for t in state.values() if torch.is_tensor(t))
    with LiveStorage([*model.parameters(), *model.buffers(), *states]) as live:
        step()
    return live.peak


@pytest.mark.parametrize(("options", "name", "batch", "length", "attention", "dtype", "checkpointing", "moment"), PEAKS)
def test_the_peak_of_a_step(options, name, batch, length, attention, dtype, checkpointing, moment):
    model = llama(**options, attention=attention).to(dtype)
    if checkpointing:
        model.activation_checkpointing_enable()
    ids = torch.randint(0, model.config.vocab_size, (batch, length))
    predicted = training_memory(
        DecoderShape.from_config(model.config),
        batch=batch,
        length=length,
        precision="fp32" if dtype == torch.float32 else "bf16",
        optimizer=name,
        attention=attention,
        checkpointing=checkpointing,
    )
    assert predicted.fullest == moment
    optimizer = TORCH_OPTIMIZERS[name](model.parameters())
    assert predicted.total == pytest.approx(measured_peak(model, optimizer, ids), rel=0.1)


def test_the_end_of_the_forward_pass_is_not_the_peak():
    """Lo guardado se queda muy corto: al volver por la pérdida hay además 8 · V bytes por token."""
    shape = DecoderShape(layers=16, d_model=2048, heads=32, d_ff=8192, vocab_size=128256, kv_heads=8, tied=True)
    memory = training_memory(shape, batch=8, length=2048, precision="mixed")
    assert memory.total - memory.weights - memory.optimizer - memory.activations == 8 * 128256 * 8 * 2048
    fits = [b for b in range(1, 40) if "H100" in gpus_that_fit(training_memory(
        shape, batch=b, length=2048, precision="mixed", checkpointing=True).total)]  # fmt: skip
    assert fits[-1] == 16 and "H100" in gpus_that_fit(memory.total)  # y no 36 y 11


def test_live_storage_counts_once_and_lets_go():
    x = torch.zeros(1000)
    with LiveStorage([x, x[:5]]) as live:
        y = x + 1
        view, z = y.view(10, 100), y * 2
        assert live.now == 12000
        del y, z
        assert live.now == 8000  # y sigue viva: la usa su vista
        del view
    assert (live.now, live.peak) == (4000, 12000)


def test_activations_follow_batch_length_and_layers():
    shape = DecoderShape(layers=2, d_model=64, heads=4, d_ff=256, vocab_size=1000)

    def total(attention="sdpa", **options):
        return sum(layer_bytes(shape, attention=attention, **options).values())

    assert total(batch=6, length=10) == 2 * total(batch=3, length=10)
    assert total(batch=3, length=20) == 2 * total(batch=3, length=10)
    # la atención a mano crece con el cuadrado de la longitud; la otra no
    assert total("eager", batch=1, length=2000) > 3 * total("eager", batch=1, length=1000)


def test_errata_13_sixteen_bytes_are_certain_and_the_rest_is_not():
    shape = DecoderShape(layers=16, d_model=2048, heads=32, d_ff=8192, vocab_size=32000)
    for precision in ("fp32", "mixed"):
        memory = training_memory(shape, batch=1, length=128, precision=precision)
        assert memory.fixed / shape.parameters == pytest.approx(16, abs=1e-4)
    ratios = [
        training_memory(shape, batch=batch, length=length).activations / shape.parameters
        for batch, length in ((1, 128), (8, 2048))
    ]
    assert ratios[0] < 8 < ratios[1]  # «+8 bytes de activaciones» no es una ley


def test_checkpointing_saves_memory_when_there_are_layers():
    shape = DecoderShape(layers=32, d_model=4096, heads=32, d_ff=11008, vocab_size=32000)
    options = {"batch": 1, "length": 4096, "precision": "mixed"}
    plain, saved = training_memory(shape, **options), training_memory(shape, **options, checkpointing=True)
    assert saved.activations + saved.recomputed < plain.activations / 5
    assert plain.recomputed == 0 and saved.weights == plain.weights
    assert plain.fullest == "last layer" or plain.total > plain.weights + plain.optimizer + plain.activations


def test_gpus_in_order_of_size():
    assert gpus_that_fit(14.4e9)[0] == "T4" and gpus_that_fit(14.5e9)[0] == "L4"
    assert gpus_that_fit(1e15) == []


def test_saved_tensors_leave_weights_out_and_name_the_largest():
    layer = torch.nn.Linear(8, 4)
    x = torch.ones(5, 8, requires_grad=True)
    with SavedTensors(layer) as saved:
        layer(x).exp()
    assert saved.bytes == 4 * (5 * 8 + 5 * 4)
    assert saved.largest(1) == [((5, 8), 160)]
    with SavedTensors(layer) as nothing, torch.no_grad():
        layer(x)
    assert nothing.bytes == 0


def test_saved_tensors_let_the_outputs_go():
    """Sin pasada hacia atrás, soltar la salida libera todo, aunque el `SavedTensors` siga a mano con su cuenta."""
    layer, alive, measures = torch.nn.Linear(8, 4), [], []
    for _ in range(20):
        data = numpy.ones((5, 8), dtype="float32")  # vive mientras alguien use su memoria
        with SavedTensors(layer) as saved:
            output = layer(torch.from_numpy(data)).exp()
        measures.append(saved)
        alive += [weakref.ref(output), weakref.ref(data)]
        del output, data
    gc.collect()
    assert [ref() for ref in alive] == [None] * len(alive)
    assert {saved.bytes for saved in measures} == {4 * (5 * 8 + 5 * 4)}


def test_saved_tensors_do_not_change_the_gradient():
    layer = torch.nn.Linear(8, 4)
    x = torch.randn(5, 8)
    (expected,) = torch.autograd.grad(layer(x).exp().tanh().sum(), layer.weight)
    with SavedTensors(layer):
        loss = layer(x).exp().tanh().sum()
    (found,) = torch.autograd.grad(loss, layer.weight)
    assert torch.equal(found, expected)


def test_shared_storage_counts_once():
    tied = llama(tied=True)
    weights = sum(p.numel() * 4 for p in tied.parameters())
    assert measured_bytes(tied)["pesos"] == weights
    assert storage_bytes([tied.model.embed_tokens.weight, tied.lm_head.weight]) == 4 * 101 * 32


SMALL = DecoderShape(layers=1, d_model=8, heads=2, d_ff=16, vocab_size=10)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: DecoderShape(0, 8, 2, 16, 10), "layers debe ser un entero mayor que 0"),
        (lambda: DecoderShape(1, 8, 3, 16, 10), "3 cabezas no dividen a D = 8"),
        (lambda: DecoderShape(1, 8, 4, 16, 10, kv_heads=3), "3 cabezas de clave no dividen a 4"),
        (lambda: layer_bytes(SMALL, batch=0, length=4), "batch debe ser un entero mayor que 0"),
        (lambda: layer_bytes(SMALL, batch=1, length=4, attention="flash"), "elige entre sdpa, eager"),
        (lambda: layer_bytes(SMALL, batch=1, length=4, value_bytes=1), "value_bytes es 4"),
        (lambda: optimizer_bytes([(2, 2)], "adam"), "elige entre sgd, momentum, adamw, adafactor"),
        (lambda: training_memory(SMALL, batch=1, length=1, precision="fp8"), "elige entre fp32, mixed, bf16"),
        (lambda: gpus_that_fit(-1), "pasa un número positivo"),
        (
            lambda: transformer_activation_bytes(
                TransformerConfig(10, 8, 2, encoder_layers=1, decoder_layers=1), batch=1, length=4
            ),
            "hace falta source_length",
        ),
        (
            lambda: transformer_activation_bytes(
                TransformerConfig(10, 8, 2, decoder_layers=1, norm="layer"), batch=1, length=4
            ),
            "Esta cuenta es para RMSNorm",
        ),
    ],
)
def test_bad_input_says_what_to_do(call, message):
    with pytest.raises(ValueError, match=message):
        call()
