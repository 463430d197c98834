"""Word2Vec: *skip-gram* con muestreo negativo. Cada palabra, un vector que sirve para adivinar a sus vecinas.

Se toman parejas (palabra, vecina) de una ventana y se aprende a distinguirlas de parejas inventadas. La pérdida de una
pareja verdadera con k falsas es −ln σ(u·v) − Σ ln σ(−u·vᵢ), y sus gradientes se escriben a mano. Fuente: Mikolov et al.
(2013b), ecuación 4 y sección 2.3.

Lo que NO hace: dividir palabras en trozos (eso es FastText), CBOW ni softmax jerárquica.
"""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
from tqdm import tqdm

from utils.course.env import seed as default_seed

#: Los negativos se sortean con la frecuencia elevada a 3/4, que da más peso a las palabras raras.
NEGATIVE_POWER = 0.75


def build_vocabulary(sentences: Sequence[Sequence[str]], min_count: int) -> dict[str, int]:
    """Cuántas veces sale cada palabra que llega a `min_count`, de más a menos frecuente. Error si no hay dos.

    >>> build_vocabulary([["a", "b", "a"], ["b", "c"]], min_count=2)
    {'a': 2, 'b': 2}
    """
    counts = Counter(word for sentence in sentences for word in sentence)
    kept = {word: n for word, n in sorted(counts.items(), key=lambda item: (-item[1], item[0])) if n >= min_count}
    if len(kept) < 2:
        raise ValueError(f"Solo {len(kept)} palabra(s) salen {min_count} veces o más: baja min_count o añade texto.")
    return kept


def skip_gram_pairs(sentences: Sequence[Sequence[int]], window: int, rng: np.random.Generator) -> np.ndarray:
    """Todas las parejas (palabra, vecina), (P, 2). La ventana de cada palabra se sortea entre 1 y `window`.

    Sortearla da más peso a las vecinas cercanas, que entran siempre.

    >>> skip_gram_pairs([[7, 8, 9]], window=1, rng=np.random.default_rng(0)).tolist()
    [[7, 8], [8, 7], [8, 9], [9, 8]]
    """
    if window < 1:
        raise ValueError(f"window es {window} y debe ser al menos 1: cuántas vecinas se miran a cada lado.")
    pairs = []
    for sentence in sentences:
        reach = rng.integers(1, window + 1, size=len(sentence))
        for i, word in enumerate(sentence):
            near = range(max(0, i - reach[i]), min(len(sentence), i + reach[i] + 1))
            pairs += [(word, sentence[j]) for j in near if j != i]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def negative_sampling(
    center: torch.Tensor, context: torch.Tensor, negatives: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """La pérdida media de un lote y sus gradientes respecto de los tres juegos de vectores.

    `center` y `context` (B, D), `negatives` (B, K, D). El gradiente de −ln σ(x) es σ(x) − 1 y el de −ln σ(−x), σ(x): lo
    que le falta a la predicción para valer 1 en la verdadera y 0 en las falsas. Devuelve (pérdida, y gradientes con las
    formas de la entrada). Error si el lote está vacío.
    """
    if not len(center):
        raise ValueError("El lote no tiene ninguna pareja de palabras: la media de nada no es un número.")
    true = torch.einsum("bd,bd->b", center, context)  # (B,)
    false = torch.einsum("bd,bkd->bk", center, negatives)  # (B, K)
    loss = -torch.nn.functional.logsigmoid(true).mean() - torch.nn.functional.logsigmoid(-false).sum(1).mean()
    error_true = (torch.sigmoid(true) - 1)[:, None] / len(center)  # (B, 1)
    error_false = torch.sigmoid(false)[..., None] / len(center)  # (B, K, 1)
    to_center = error_true * context + (error_false * negatives).sum(dim=1)  # (B, D)
    return loss, to_center, error_true * center, error_false * center[:, None]


def train_word2vec(
    sentences: Sequence[Sequence[str]],
    *,
    dimension: int = 48,
    window: int = 3,
    negatives: int = 5,
    epochs: int = 3,
    min_count: int = 5,
    subsample: float = 1e-3,
    batch_size: int = 1024,
    learning_rate: float = 0.3,
    seed: int | None = None,
) -> tuple[list[str], torch.Tensor]:
    """Entrena con listas de palabras y devuelve (palabras, vectores (V, D)), en el mismo orden.

    `subsample` (t) descarta cada aparición de una palabra de frecuencia f con probabilidad 1 − √(t / f): «de» y «la»
    dicen poco de sus vecinas. El paso es Adagrad, que frena por separado cada vector según lo que ya se ha movido.
    Error si no quedan dos palabras o ninguna pareja de vecinas.
    """
    counts = build_vocabulary(sentences, min_count)
    names = list(counts)
    index = {word: i for i, word in enumerate(names)}
    rng = np.random.default_rng(default_seed() if seed is None else seed)
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    frequency = np.array([*counts.values()]) / sum(counts.values())  # (V,)
    keep = np.minimum(1, np.sqrt(subsample / frequency))  # (V,)
    noise = torch.from_numpy(frequency**NEGATIVE_POWER)  # (V,)
    encoded = [np.array([index[w] for w in sentence if w in index], dtype=np.int64) for sentence in sentences]

    centers = (torch.rand(len(names), dimension, generator=generator) - 0.5) / dimension  # (V, D)
    contexts = torch.zeros(len(names), dimension)  # (V, D)
    memory = [torch.full((len(names), 1), 1e-8) for _ in range(2)]
    seen = 0  # parejas
    for _ in tqdm(range(epochs), desc="word2vec", unit="época"):
        kept = [ids[rng.random(len(ids)) < keep[ids]].tolist() for ids in encoded]
        pairs = torch.from_numpy(rng.permutation(skip_gram_pairs(kept, window, rng)))  # (P, 2)
        seen += len(pairs)
        for batch in pairs.split(batch_size) if len(pairs) else ():
            c, o = batch.T  # (B,)
            false = torch.multinomial(noise, len(c) * negatives, replacement=True, generator=generator)
            false = false.view(len(c), negatives)  # (B, K)
            _, to_center, to_true, to_false = negative_sampling(centers[c], contexts[o], contexts[false])
            everyone = torch.cat([o, false.flatten()])
            _adagrad(centers, c, to_center, memory[0], learning_rate)
            _adagrad(contexts, everyone, torch.cat([to_true, to_false.flatten(0, 1)]), memory[1], learning_rate)
    if not seen:
        raise ValueError(
            "No ha quedado ninguna pareja de vecinas: alarga las frases o sube subsample, que las descarta."
        )
    return names, centers


def nearest(word: str, words: Sequence[str], vectors: torch.Tensor, k: int = 5) -> list[tuple[str, float]]:
    """Las `k` palabras de mayor coseno con `word`, sin contarla. Error si no está en el vocabulario.

    >>> nearest("a", ["a", "b", "c"], torch.tensor([[1.0, 0.0], [2.0, 0.0], [0.0, 1.0]]), k=1)
    [('b', 1.0)]
    """
    if word not in words:
        raise ValueError(f"«{word}» no está en el vocabulario: sale muy poco en el corpus o no sale.")
    unit = torch.nn.functional.normalize(vectors, dim=1)  # (V, D)
    me = list(words).index(word)
    similarity = unit @ unit[me]  # (V,)
    similarity[me] = -2
    best = similarity.topk(min(k, len(words) - 1))
    return [(words[i], round(s, 4)) for s, i in zip(best.values.tolist(), best.indices.tolist(), strict=True)]


def _adagrad(table: torch.Tensor, rows: torch.Tensor, grads: torch.Tensor, memory: torch.Tensor, rate: float) -> None:
    """Suma los gradientes de cada fila y la mueve; `memory` (V, 1) acumula el cuadrado medio de cada una."""
    total = torch.zeros_like(table).index_add_(0, rows, grads)  # (V, D)
    memory += (total**2).mean(dim=1, keepdim=True)  # (V, 1)
    table -= rate * total / memory.sqrt()
