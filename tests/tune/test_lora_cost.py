"""El coste de LoRA: los números de las erratas 22 y 24 y la cuenta del modelo construido."""

import pytest

from utils.cost.empty_models import FLAN_T5_BASE, empty_model
from utils.model.surgery import trained_parameters
from utils.tune.lora import LoRAConfig, add_lora
from utils.tune.lora_cost import even_rank, lora_cost


def test_errata_22_one_matrix():
    cost = lora_cost([(512, 64, 1)], rank=8)
    assert (cost.trained, cost.adapted) == (4608, 32768) and round(100 * cost.fewer, 1) == 85.9
    assert lora_cost([(4096, 4096, 1)], rank=8).trained == 65_536


def test_errata_24_flan_t5_base_equals_the_built_model():
    cost = lora_cost([(768, 768, 36), (768, 768, 36)], rank=32, model=247_577_856)
    built = add_lora(empty_model(FLAN_T5_BASE), LoRAConfig(rank=32))
    assert (cost.trained, cost.model + cost.trained) == trained_parameters(built)
    assert round(100 * cost.share, 2) == 1.41
    assert cost.disk_bytes() == 4 * 3_538_944 and cost.disk_bytes(2) == 2 * 3_538_944
    assert cost.optimizer_saved == 8 * (247_577_856 - 3_538_944)


def test_at_the_even_rank_nothing_is_saved():
    assert lora_cost([(768, 768, 1)], rank=int(even_rank(768, 768))).fewer == 0
    assert lora_cost([(768, 768, 1)], rank=400).fewer < 0


@pytest.mark.parametrize(
    ("matrices", "rank", "model", "message"),
    [
        ([], 8, None, "No hay ninguna matriz"),
        ([(4, 4, 0)], 8, None, "aparece al menos una vez"),
        ([(4, 4, 1)], 0, None, "de 1 en adelante"),
        ([(4, 4, 1)], 2, 15, "no caben en él"),
    ],
)
def test_bad_input_is_told_in_spanish(matrices, rank, model, message):
    with pytest.raises(ValueError, match=message):
        lora_cost(matrices, rank, model)
