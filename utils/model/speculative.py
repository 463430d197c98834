"""Decodificación especulativa: un modelo barato propone varios tokens y el grande los revisa de una vez.

El grande lee la propuesta entera en una sola llamada y acepta cada token con una regla que deja **exacta** su
distribución: si es poco probable para él, se sustituye por otro sorteado de lo que le faltaba. Lo que cambia no es
el texto, sino cuántas veces se llama al grande. Fuentes: Leviathan et al. (2023), algoritmo 1, y Chen et al. (2023),
algoritmo 2.

Aquí están la regla, el bucle y `CausalLM`, que presta un Llama o un Qwen2 con su caché. Los borradores sin red están
en `utils.model.drafts`. No genera por lotes, no usa árboles de propuestas y no entrena borradores.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from utils.course import env
from utils.model.kv_cache import KVCache, next_logits
from utils.model.sampling import probabilities, sample


class LanguageModel(Protocol):
    """Lo que hace falta saber de un modelo: su vocabulario y qué token espera detrás de un texto."""

    vocab_size: int

    def probs(self, ids: Sequence[int], last: int = 1) -> Tensor:
        """La distribución del token siguiente tras cada uno de los `last` últimos prefijos de `ids`: (last, V)."""
        ...


class CausalLM:
    """Un Llama o un Qwen2 de transformers visto como `LanguageModel`, con los mandos del muestreo y su caché.

    `temperature` (None es voraz), `top_k` y `top_p` son los de `utils.model.sampling`. `calls` cuenta las llamadas al
    modelo. Entre dos llamadas reutiliza la caché del trozo que el texto tenga en común con el anterior.
    """

    def __init__(
        self, model: nn.Module, temperature: float | None = 1.0, top_k: int | None = None, top_p: float | None = None
    ) -> None:
        self.model, self.settings = model, (temperature, top_k, top_p)
        self.vocab_size = model.config.vocab_size
        self.calls = 0
        self._read: list[int] = []
        self._cache = KVCache(model.config.num_hidden_layers)

    def probs(self, ids: Sequence[int], last: int = 1) -> Tensor:
        """(last, V). ValueError si el texto está vacío o `last` es mayor que él."""
        ids = list(ids)
        shared = 0
        for old, new in zip(self._read, ids, strict=False):
            if old != new:
                break
            shared += 1
        shared = max(0, min(shared, len(ids) - last))  # los `last` últimos se leen siempre: hacen falta sus logits
        self._cache.crop(shared)
        fresh = torch.tensor([ids[shared:]], dtype=torch.long, device=self.model.device)  # (1, N)
        logits = next_logits(self.model, fresh, self._cache, last)[0]  # (last, V)
        self._read = ids
        self.calls += 1
        return probabilities(logits, *self.settings).cpu()


def verify(
    target: Tensor, draft: Tensor, proposed: Sequence[int], generator: torch.Generator | None = None
) -> tuple[int, int]:
    """La regla de aceptación: cuántos tokens propuestos valen y cuál va detrás de ellos.

    `target` (G + 1, V) son las distribuciones p del modelo grande tras cada prefijo; `draft` (G, V), las q con las que
    se sortearon los G tokens de `proposed`. El token x se acepta con probabilidad min(1, p(x) / q(x)); al primer
    rechazo se sortea otro de max(0, p - q) renormalizado, y si valen todos se regala uno más, sorteado de la última
    p. ValueError si las formas no encajan. Fuente: Leviathan et al. (2023), secciones 2.3 y A.1.

    >>> p = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    >>> verify(p, torch.tensor([[0.5, 0.5]]), [1]), verify(p, torch.tensor([[0.5, 0.5]]), [0])
    ((1, 0), (0, 1))
    """
    if len(target) != len(proposed) + 1 or len(draft) != len(proposed):
        raise ValueError(
            f"Con {len(proposed)} tokens propuestos hacen falta {len(proposed) + 1} distribuciones del modelo grande "
            f"y {len(proposed)} del borrador, y hay {len(target)} y {len(draft)}."
        )
    if len(draft) and target.shape[1] != draft.shape[1]:
        raise ValueError(_other_vocabulary(target.shape[1], draft.shape[1]))
    dice = torch.rand(len(proposed), generator=generator)  # (G,)
    for i, token in enumerate(proposed):
        # Multiplicar en lugar de dividir: vale también cuando q(x) es muy pequeña.
        if dice[i] * draft[i, token] < target[i, token]:
            continue
        missing = (target[i] - draft[i]).clamp(min=0)  # (V,)
        return i, int(sample(missing / missing.sum(), generator))
    return len(proposed), int(sample(target[-1], generator))


@dataclass(frozen=True)
class Speculation:
    """El texto nuevo y cuánto costó: llamadas al grande y tokens propuestos, aceptados y rechazados.

    En cada vuelta se rechaza uno como mucho: los que iban detrás se tiran sin juzgarlos.
    """

    ids: list[int]
    target_calls: int
    proposed: int
    accepted: int
    rejected: int

    @property
    def tokens_per_call(self) -> float:
        """Tokens nuevos por llamada al modelo grande; sin especular es 1."""
        return len(self.ids) / self.target_calls

    @property
    def acceptance(self) -> float:
        """Fracción de los tokens juzgados que se aceptaron: la α de Leviathan et al. (2023)."""
        judged = self.accepted + self.rejected
        return self.accepted / judged if judged else 0.0


def speculative_generate(
    target: LanguageModel,
    draft: LanguageModel,
    prompt: Sequence[int],
    *,
    max_new_tokens: int,
    gamma: int = 4,
    seed: int | None = None,
    eos_token_id: int | None = None,
) -> Speculation:
    """Genera con el modelo `target` ayudado por `draft`, que propone `gamma` tokens cada vez.

    El texto sale con la distribución de `target` solo, sea cual sea el borrador: uno malo cuesta tiempo, no calidad.
    Termina con el token de fin, que se incluye, o con `max_new_tokens`. La misma `seed` (por omisión, la del curso) da
    el mismo texto. ValueError si el prompt está vacío, los vocabularios son distintos o una opción no tiene sentido.

    >>> class Coin:
    ...     vocab_size = 2
    ...     def probs(self, ids, last=1): return torch.full((last, 2), 0.5)
    >>> result = speculative_generate(Coin(), Coin(), [0], max_new_tokens=10, gamma=4, seed=0)
    >>> len(result.ids), result.target_calls, result.acceptance
    (10, 2, 1.0)
    """
    _check_options(target, draft, prompt, max_new_tokens, gamma)
    generator = torch.Generator().manual_seed(env.seed() if seed is None else seed)
    ids, calls, proposed, accepted, rejected = list(prompt), 0, 0, 0, 0
    limit = len(ids) + max_new_tokens
    while len(ids) < limit:
        guesses, guess_probs = [], []
        # El grande siempre añade uno por su cuenta: no se propone más de lo que cabe.
        for _ in range(min(gamma, limit - len(ids) - 1)):
            q = draft.probs([*ids, *guesses])[-1]  # (V,)
            guesses.append(int(sample(q, generator)))
            guess_probs.append(q)
        p = target.probs([*ids, *guesses], last=len(guesses) + 1)  # (G + 1, V), en una sola llamada
        q = torch.stack(guess_probs) if guesses else p[:0]  # (G, V)
        kept, token = verify(p, q, guesses, generator)
        calls, proposed, accepted = calls + 1, proposed + len(guesses), accepted + kept
        rejected += kept < len(guesses)
        new = [*guesses[:kept], token]
        if eos_token_id in new:
            ids += new[: new.index(eos_token_id) + 1]
            break
        ids += new
    return Speculation(ids[len(prompt) :], calls, proposed, accepted, rejected)


def expected_tokens_per_call(acceptance: float, gamma: int) -> float:
    """Tokens por llamada al grande si cada propuesto se acepta con probabilidad `acceptance`: (1 - a^(G+1)) / (1 - a).

    Supone que las aceptaciones son independientes. ValueError si `acceptance` no está en [0, 1] o gamma < 1. Fuente:
    Leviathan et al. (2023), ecuación 1.

    >>> expected_tokens_per_call(0.5, gamma=1), expected_tokens_per_call(1.0, gamma=4)
    (1.5, 5.0)
    """
    if not 0 <= acceptance <= 1 or gamma < 1:
        raise ValueError(f"La aceptación va de 0 a 1 y gamma es al menos 1, y son {acceptance} y {gamma}.")
    return float(sum(acceptance**i for i in range(gamma + 1)))


def _check_options(
    target: LanguageModel, draft: LanguageModel, prompt: Sequence[int], max_new_tokens: int, gamma: int
) -> None:
    if len(prompt) == 0:
        raise ValueError("El prompt está vacío: pasa al menos un token, como el de inicio.")
    if target.vocab_size != draft.vocab_size:
        raise ValueError(_other_vocabulary(target.vocab_size, draft.vocab_size))
    if max_new_tokens < 1:
        raise ValueError(f"max_new_tokens debe ser al menos 1 y es {max_new_tokens}.")
    if isinstance(gamma, bool) or not isinstance(gamma, int) or gamma < 1:
        raise ValueError(f"gamma, los tokens que se proponen cada vez, debe ser un entero >= 1 y es {gamma!r}.")


def _other_vocabulary(target: int, draft: int) -> str:
    return (
        f"El modelo grande tiene {target} tokens y el borrador {draft}: deben compartir tokenizador, porque el grande "
        "revisa ids, no palabras."
    )
