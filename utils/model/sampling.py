"""De los logits al token siguiente: penalización, temperatura, top-k, top-p y sorteo.

Son funciones puras sobre logits de forma (..., V): V es el tamaño del vocabulario y delante puede haber lote
o nada. El orden de la cadena es el de `generate` en transformers: penalización -> temperatura -> top-k ->
top-p. No llama a ningún modelo: el bucle que genera texto está en `utils.model.decoding`.
"""

import math

import torch

from utils.model.precision import at_least_float32

# Holgura al comparar una suma de probabilidades con p: en coma flotante, 0.60 + 0.30 < 0.90.
TOP_P_TOLERANCE = 1e-6
MIN_TEMPERATURE = 1e-6


def _check_logits(logits: torch.Tensor) -> None:
    if not torch.is_tensor(logits) or not logits.is_floating_point():
        raise ValueError("Los logits deben ser un tensor de reales: conviértelos con torch.tensor(...).float().")
    if logits.dim() == 0 or logits.numel() == 0:
        raise ValueError(f"Los logits están vacíos, {tuple(logits.shape)}: la última dimensión debe ser V >= 1.")
    if torch.isnan(logits).any() or torch.isposinf(logits).any():
        raise ValueError("Hay NaN o +inf en los logits: revisa el modelo (T5 en float16 desborda: usa float32).")
    if torch.isneginf(logits).all(dim=-1).any():
        raise ValueError("Una fila de logits es toda -inf, sin ningún token que elegir: quita algún filtro.")


def apply_repetition_penalty(logits: torch.Tensor, ids: torch.Tensor, penalty: float) -> torch.Tensor:
    """Resta verosimilitud a los tokens que ya han salido, una sola vez por token.

    Un logit positivo se divide por `penalty` y uno negativo se multiplica: en ambos casos baja si penalty >
    1. `logits` (..., V); `ids` (..., T), los tokens ya vistos (los negativos se ignoran: sirven para marcar
    relleno). Devuelve (..., V). Error si penalty <= 0 o si las formas no encajan. Fuente: Keskar et al.
    (2019), CTRL, sección 4.1.

    >>> apply_repetition_penalty(torch.tensor([2.0, -2.0, 1.0]), torch.tensor([0, 1]), 2.0).tolist()
    [1.0, -4.0, 1.0]
    """
    _check_logits(logits)
    if not (penalty > 0 and math.isfinite(penalty)):
        raise ValueError(f"La penalización debe ser un número positivo (1.0 = ninguna) y es {penalty}.")
    if ids.shape[:-1] != logits.shape[:-1]:
        raise ValueError(
            f"Los ids {tuple(ids.shape)} y los logits {tuple(logits.shape)} deben coincidir "
            "menos en la última dimensión."
        )
    vocab = logits.shape[-1]
    if ids.numel() and ids.max() >= vocab:
        raise ValueError(f"Hay un id {int(ids.max())} fuera del vocabulario: los ids van de 0 a {vocab - 1}.")
    # Una columna de más recoge los ids ignorados y después se descarta.
    seen = torch.zeros(*logits.shape[:-1], vocab + 1, dtype=torch.bool, device=logits.device)  # (..., V + 1)
    seen = seen.scatter(-1, ids.where(ids >= 0, vocab), True)[..., :vocab]  # (..., V)
    penalised = torch.where(logits < 0, logits * penalty, logits / penalty)  # (..., V)
    return torch.where(seen, penalised, logits)  # (..., V)


def apply_temperature(logits: torch.Tensor, temperature: float) -> torch.Tensor:
    """Divide los logits por T, un real positivo: T < 1 concentra la distribución y T > 1 la aplana.

    `logits` (..., V) -> (..., V). No hay «temperatura 0»: la decodificación voraz es el límite T -> 0.

    >>> apply_temperature(torch.tensor([10.0, 5.0, 2.0]), 2.0).tolist()
    [5.0, 2.5, 1.0]
    """
    _check_logits(logits)
    if not (temperature >= MIN_TEMPERATURE and math.isfinite(temperature)):
        raise ValueError(
            f"La temperatura debe ser un real positivo y es {temperature}: "
            "para decodificación voraz usa temperature=None."
        )
    return logits / temperature  # (..., V)


def top_k_filter(logits: torch.Tensor, k: int) -> torch.Tensor:
    """Deja los k logits mayores y pone los demás a -inf; los empatados con el k-ésimo también se quedan.

    `logits` (..., V) -> (..., V). Error si k no es un entero entre 1 y V. Fuente: Fan et al. (2018).

    >>> top_k_filter(torch.tensor([1.0, 3.0, 2.0]), 2).tolist()
    [-inf, 3.0, 2.0]
    """
    _check_logits(logits)
    vocab = logits.shape[-1]
    if isinstance(k, bool) or not isinstance(k, int) or k < 1:
        raise ValueError(f"k debe ser un entero mayor o igual que 1 y es {k!r}: para no filtrar, top_k=None.")
    if k > vocab:
        raise ValueError(f"k = {k} supera el vocabulario, que tiene {vocab} tokens: elige k <= {vocab}.")
    threshold = logits.topk(k, dim=-1).values[..., -1:]  # (..., 1)
    return logits.masked_fill(logits < threshold, -math.inf)  # (..., V)


def top_p_filter(logits: torch.Tensor, p: float) -> torch.Tensor:
    """Deja el núcleo: el MENOR conjunto de tokens más probables cuya probabilidad acumulada es >= p.

    El token que cruza p se queda, así que siempre queda al menos uno. Dicho de otro modo: un token se queda
    si la suma de los que van delante de él todavía no llega a p. «Llegar» se decide en float32 con una
    holgura de 1e-6: si la suma es p salvo redondeo, p está alcanzado y el token siguiente sale, aunque en
    binario 0.60 + 0.30 < 0.90. Con probabilidades empatadas va antes el id menor. p = 1 no filtra nada.
    `logits` (..., V) -> (..., V). Error si p no está en (0, 1]. Fuente: Holtzman et al. (2020), sección 3.1.

    >>> top_p_filter(torch.tensor([0.6, 0.3, 0.1]).log(), 0.9).isfinite().tolist()
    [True, True, False]
    """
    _check_logits(logits)
    if not 0 < p <= 1:
        raise ValueError(f"p debe estar en (0, 1] y es {p}; para no filtrar usa top_p=None.")
    if p == 1:
        return logits
    probs = torch.softmax(logits.float(), dim=-1)  # (..., V)
    ordered, order = probs.sort(dim=-1, descending=True, stable=True)  # (..., V) dos veces
    mass_before = ordered.cumsum(dim=-1) - ordered  # (..., V)
    outside = mass_before >= p - TOP_P_TOLERANCE  # (..., V), en orden de probabilidad
    outside[..., 0] = False  # con p < 1e-6 la holgura se llevaría también al primero
    outside = torch.zeros_like(outside).scatter(-1, order, outside)  # (..., V), en orden de id
    return logits.masked_fill(outside, -math.inf)  # (..., V)


def probabilities(
    logits: torch.Tensor,
    temperature: float | None = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
) -> torch.Tensor:
    """La distribución de la que se sortea: softmax tras temperatura, top-k y top-p, en ese orden.

    `logits` (..., V) -> probabilidades (..., V) que suman 1, en float32 o, si los logits lo son, en float64. Con
    temperature=None (voraz) toda la probabilidad va al token de mayor logit (el de id menor si empatan), y entonces
    top_k y top_p no cambian nada.

    >>> [round(x, 4) for x in probabilities(torch.tensor([10.0, 5.0, 2.0]), temperature=2.0).tolist()]
    [0.9088, 0.0746, 0.0166]
    """
    _check_logits(logits)
    logits = at_least_float32(logits)
    logits = logits - logits.amax(dim=-1, keepdim=True)  # (..., V); evita desbordar con T pequeña
    if temperature is None:
        return torch.zeros_like(logits).scatter(-1, logits.argmax(dim=-1, keepdim=True), 1.0)  # (..., V)
    logits = apply_temperature(logits, temperature)
    if top_k is not None:
        logits = top_k_filter(logits, top_k)
    if top_p is not None:
        logits = top_p_filter(logits, top_p)
    return torch.softmax(logits, dim=-1)  # (..., V)


def sample(probs: torch.Tensor, generator: torch.Generator | None = None) -> torch.Tensor:
    """Sortea un id por fila: `probs` (V,) o (B, V), que suman 1 -> ids () o (B,).

    El mismo estado del generador da el mismo sorteo.

    >>> sample(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), torch.Generator().manual_seed(0)).tolist()
    [1, 0]
    """
    if probs.dim() not in (1, 2) or probs.numel() == 0:
        raise ValueError(f"Las probabilidades deben tener forma (V,) o (B, V) y tienen {tuple(probs.shape)}.")
    # Escrito en positivo para que NaN también falle.
    if not ((probs >= 0).all() and ((probs.sum(dim=-1) - 1).abs() < 1e-3).all()):
        raise ValueError("Las probabilidades deben ser >= 0 y sumar 1 por fila: pasa antes por `probabilities`.")
    return torch.multinomial(probs, num_samples=1, generator=generator).squeeze(-1)  # (B,)
