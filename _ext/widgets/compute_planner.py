"""El widget `compute-planner`: valida sus datos y escribe las tablas que se ven sin JavaScript.

Las cuentas son de `utils.cost.flops` y `utils.cost.scaling`, y de ahí salen también las GPU y las
constantes que usa el navegador.
"""

from dataclasses import asdict

from widget_text import check_choice, number_in, only, table

from utils.cost.flops import PEAK_TFLOPS, gpu_hours, petaflop_days, training_flops
from utils.cost.known_models import find_model
from utils.cost.scaling import BESIROGLU_2024, HOFFMANN_2022, TOKENS_PER_PARAMETER, Allocation, chinchilla_optimum
from utils.course.numerals import in_words, show


def parse(body: dict) -> dict:
    """Valida el YAML: `parameters`, `tokens`, `gpu`, `gpus`, `mfu` (en %) y `price` por GPU y hora, que es opcional."""
    only(body, "parameters", "tokens", "gpu", "gpus", "mfu", "price")
    body = {"gpu": "A100"} | body
    check_choice(body, "gpu", PEAK_TFLOPS)
    start = {
        "parameters": number_in(body, "parameters", 7e9, 1e3, 1e15),
        "tokens": number_in(body, "tokens", 1.4e11, 1e3, 1e17),
        "gpu": body["gpu"],
        "gpus": number_in(body, "gpus", 8, 1, 1e7),
        "mfu": number_in(body, "mfu", 40, 0.1, 100),
        "price": number_in(body, "price", 0, 0, 1e6) if "price" in body else None,
    }
    if start["gpus"] != int(start["gpus"]):
        raise ValueError(f"`gpus` vale {start['gpus']!r}; debe ser un número entero.")
    laws = {"hoffmann": asdict(HOFFMANN_2022), "besiroglu": asdict(BESIROGLU_2024)}
    published = {
        "GPT-3": find_model("GPT-3"),
        "Chinchilla": find_model("Chinchilla"),
        "BloombergGPT": Allocation(50.6e9, 569e9),
        "Llama 3 8B": find_model("Llama-3-8B"),
    }
    examples = [(name, model.parameters, model.tokens) for name, model in published.items()]
    return {"start": start, "peaks": PEAK_TFLOPS, "examples": examples, "ratio": TOKENS_PER_PARAMETER, "laws": laws}


def fallback(spec: dict) -> str:
    """Las tablas estáticas, en HTML: lo que cuesta el plan inicial y los repartos óptimos de ese cómputo."""
    start = spec["start"]
    flops = training_flops(start["parameters"], start["tokens"])
    hours = gpu_hours(flops, spec["peaks"][start["gpu"]], start["mfu"] / 100)
    facts = [
        ["Operaciones, 6ND", f"{show(flops)} FLOP"],
        ["petaFLOP/s-día", show(petaflop_days(flops), 4)],
        ["Horas de GPU", in_words(hours)],
        ["Tiempo", duration(hours / start["gpus"])],
    ]
    if start["price"] is not None:
        facts.append(["Coste", in_words(hours * start["price"])])
    plans = {
        "Tu plan": Allocation(start["parameters"], start["tokens"]),
        f"Regla de {spec['ratio']}": chinchilla_optimum(flops),
        "Hoffmann 2022": HOFFMANN_2022.optimum(flops),
        "Besiroglu 2024": BESIROGLU_2024.optimum(flops),
    }
    rows = [
        [name, in_words(plan.parameters), in_words(plan.tokens), show(plan.tokens_per_parameter),
         show(BESIROGLU_2024.loss(plan.parameters, plan.tokens), 4)]
        for name, plan in plans.items()
    ]  # fmt: skip
    caption = f"Con {start['gpus']} {start['gpu']} al {show(start['mfu'])}\xa0% de su máximo"
    split = "El mismo cómputo, repartido de otra forma; la pérdida, según Besiroglu et al. (2024)"
    return table("cp-cost", caption, ["Qué", "Cuánto"], facts) + table(
        "cp-table", split, ["Reparto", "N", "D", "D / N", "Pérdida"], rows
    )


def duration(hours: float) -> str:
    """El tiempo en la unidad que mejor se lee."""
    if hours < 1:
        return f"{show(hours * 60)}\xa0minutos"
    if hours < 48:
        return f"{show(hours)}\xa0horas"
    return f"{show(hours / 24)}\xa0días" if hours < 730 * 24 else f"{show(hours / 24 / 365)}\xa0años"
