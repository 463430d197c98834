"""Las recetas de los modelos mini: arquitectura, datos, optimizador y cómo se guardan.

Lo usa `train_minis.py`. El tokenizador se entrena una vez y se guarda dentro de cada mini, porque un modelo y su
tokenizador no se separan nunca; cambia solo lo que se añade alrededor (BERT pone [CLS]; T5, </s>).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForMaskedLM,
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    T5Config,
    T5ForConditionalGeneration,
)  # fmt: skip

from scripts import copying_phase, razona_recipe
from utils.course.env import repo_root
from utils.course.numerals import number, thousands
from utils.train.loop import History
from utils.train.optim import adafactor

VOCABULARY = 4096
SENTINELS = [f"<extra_id_{i}>" for i in range(32)]
SPECIAL = ["<pad>", "</s>", "<s>", "<mask>", *SENTINELS]
PAD, EOS, BOS, MASK = 0, 1, 2, 3
TOKENIZER_CACHE = repo_root() / ".cache" / "minis" / "tokenizer.json"


def t5_optimizer(model: torch.nn.Module) -> torch.optim.Optimizer:
    return adafactor(model, 2e-2)


def adamw(rate: float) -> Callable[[torch.nn.Module], torch.optim.Optimizer]:
    return lambda model: torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01)


@dataclass(frozen=True)
class Recipe:
    """Cómo se hace un mini. `family` decide la clase; `start`, el mini del que parte, si parte de alguno.

    `then` son los pasos de una segunda fase, si la hay, con lotes del mismo tamaño.
    """

    family: str
    objective: str
    steps: int
    batch_size: int
    optimizer: Callable[[torch.nn.Module], torch.optim.Optimizer]
    warmup: int
    limits: tuple[str, ...]
    start: str | None = None
    then: int = 0


RECIPES = {
    "mini-t5": Recipe("t5", "trozos borrados", 600, 24, t5_optimizer, 100,
        ("No responde a ninguna instrucción: solo restaura trozos borrados.",)),
    "mini-flan-t5": Recipe("t5", "instrucciones", 5000, 24, t5_optimizer, 100, start="mini-t5",
        limits=("No sabe resumir: nunca ha visto un resumen.", "Fuera de sus siete tareas escribe cosas sin sentido."),
        then=copying_phase.STEPS),
    "mini-gpt": Recipe("gpt", "causal", 1500, 24, adamw(2e-3), 100,
        ("Continúa texto parecido al suyo, sin saber nada del mundo.", "No sigue instrucciones.")),
    "mini-bert": Recipe("bert", "palabras tapadas", 2000, 32, adamw(5e-4), 200,
        ("Adivina palabras tapadas en frases como las suyas; no genera texto.",)),
    "mini-razona": Recipe("razona", "razonamiento", razona_recipe.TRAINING_STEPS, razona_recipe.BATCH,
        razona_recipe.optimizer, 100,
        limits=razona_recipe.LIMITS),
}  # fmt: skip

#: De dónde salen los ejemplos de los que no leen todos los textos.
DATA = {"instrucciones": "data/instrucciones", "razonamiento": "data/razonamiento, con problemas nuevos"}


def load_texts(split: str) -> list[str]:
    """Los textos de preentrenamiento: diálogos, instrucciones y, solo para entrenar, la novela *Trafalgar*."""
    data = repo_root() / "data"
    texts = []
    for folder, fields in (("dialogos", ("dialogue",)), ("instrucciones", ("prompt", "completion"))):
        for line in (data / folder / f"{split}.jsonl").read_text("utf-8").splitlines():
            row = json.loads(line)
            texts.append("\n".join(row[field] for field in fields))
    if split == "train":
        texts += [p for p in (data / "textos" / "trafalgar.txt").read_text("utf-8").split("\n") if len(p) > 40]
    return texts


def train_tokenizer() -> Tokenizer:
    """BPE de bytes: cualquier texto UTF-8 se puede escribir, y «ñ» no es un caso especial.

    El espacio va pegado delante de la palabra, también al principio del texto y de cada línea, donde se pone uno que
    al decodificar se quita. Sin él, como en GPT-2, «Evaristo» se parte de una manera al empezar la línea y de otra en
    medio: un modelo tan pequeño no sabe que son el mismo nombre y no puede copiarlo.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend(" "), normalizers.Replace("\n", "\n ")])
    pieces = Regex(r" ?\p{L}+| ?\p{N}+|\n| ?[^\s\p{L}\p{N}]+|\s")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(pieces, "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])  # fmt: skip
    tokenizer.decoder = decoders.Sequence([
        decoders.ByteLevel(), decoders.Replace("\n ", "\n"), decoders.Strip(" ", 1, 0),
    ])  # fmt: skip
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(load_texts("train"), trainer)
    return tokenizer


def mini_tokenizer(family: str) -> PreTrainedTokenizerFast:
    """El tokenizador compartido, con el cierre que espera cada familia. El de mini-razona es otro."""
    if family == "razona":
        return razona_recipe.train_tokenizer()
    if not TOKENIZER_CACHE.exists():
        TOKENIZER_CACHE.parent.mkdir(parents=True, exist_ok=True)
        train_tokenizer().save(str(TOKENIZER_CACHE))
    tokenizer = Tokenizer.from_file(str(TOKENIZER_CACHE))
    template = {"t5": "$A </s>", "gpt": "<s> $A", "bert": "<s> $A </s>"}[family]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=template, special_tokens=[("<s>", BOS), ("</s>", EOS)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", bos_token="<s>", mask_token="<mask>",
        cls_token="<s>", sep_token="</s>", extra_special_tokens=SENTINELS, model_max_length=512,
        padding_side="left" if family == "gpt" else "right",
    )  # fmt: skip


def build_model(recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> torch.nn.Module:
    """El modelo con pesos al azar o, si la receta parte de otro mini, con los suyos."""
    if recipe.start:
        folder = repo_root() / "models" / recipe.start
        return T5ForConditionalGeneration.from_pretrained(folder, dtype=torch.float32, dropout_rate=0.0)
    ids = dict(vocab_size=len(tokenizer), pad_token_id=PAD, eos_token_id=EOS, bos_token_id=BOS)
    if recipe.family == "t5":
        return T5ForConditionalGeneration(T5Config(
            d_model=192, d_kv=48, num_heads=4, d_ff=512, num_layers=2,
            num_decoder_layers=2, feed_forward_proj="gated-gelu",
            dropout_rate=0.0, decoder_start_token_id=PAD, tie_word_embeddings=True, **ids))  # fmt: skip
    if recipe.family == "razona":
        return razona_recipe.build_model(tokenizer)
    if recipe.family == "gpt":
        return LlamaForCausalLM(LlamaConfig(
            hidden_size=192, intermediate_size=512, num_hidden_layers=4, num_attention_heads=4,
            max_position_embeddings=512, tie_word_embeddings=True, **ids))  # fmt: skip
    return BertForMaskedLM(BertConfig(
        hidden_size=192, intermediate_size=512, num_hidden_layers=4, num_attention_heads=4, max_position_embeddings=512,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, **ids))  # fmt: skip


def save_mini(name: str, model: torch.nn.Module, tokenizer: PreTrainedTokenizerFast) -> None:
    """Guarda en float16: ocupa la mitad y, con pesos de este tamaño, el resultado no cambia."""
    folder = repo_root() / "models" / name
    if model.config.model_type == "t5":
        model.config.dropout_rate = 0.1  # se preentrena sin dropout y se ajusta con el de T5
    model.half().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    model.float()


def write_card(name: str, recipe: Recipe, model: torch.nn.Module, history: History) -> None:
    """La ficha del modelo, con las cifras de este entrenamiento."""
    parameters = sum(p.numel() for p in model.parameters())
    folder: Path = repo_root() / "models" / name
    megabytes = sum(f.stat().st_size for f in folder.glob("*.safetensors")) / 1e6
    second = f" y {recipe.then} × {recipe.batch_size} de copiar" if recipe.then else ""
    rows = {
        "Arquitectura": type(model).__name__,
        "Parámetros": thousands(parameters),
        "Tamaño en disco": f"{number(megabytes, 1)} MB (float16)",
        "Objetivo": recipe.objective,
        "Parte de": recipe.start or "pesos al azar",
        "Datos": DATA.get(recipe.objective, "data/dialogos, data/instrucciones y data/textos"),
        "Pasos × lote": f"{recipe.steps} × {recipe.batch_size}{second}",
        "Pérdida de validación": number(history.validation[-1][1], 4),
        "Tiempo": f"{history.seconds / 60:.0f} min con un hilo",
        "Licencia": "MIT",
    }
    lines = [f"# {name}", "", "| | |", "|---|---|", *(f"| {key} | {value} |" for key, value in rows.items())]
    lines += ["", "## Lo que no sabe hacer", "", *recipe.limits, "", "Se rehace con `make models`.", ""]
    (folder / "README.md").write_text("\n".join(lines), "utf-8")
