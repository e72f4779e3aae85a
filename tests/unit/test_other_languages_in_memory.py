"""A memory in another language than English is silent about what it does not hold: its model finds all such texts alike; real model."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from mcp_memory.bootstrap import open_memory
from mcp_memory.config_sources import load_config
from mcp_memory.memory import EpisodicMemory
from tests.unit.attempts import attempt, shell

pytestmark = pytest.mark.anyio
HELD = {
    "fr": ("Corriger le calcul de la TVA dans le module de facturation", "La TVA réduite n'est pas appliquée aux livres"),
    "pt": ("Corrigir o cálculo do frete no carrinho", "O frete mínimo não é aplicado"),
    "ar": ("إصلاح خطأ تسجيل الدخول في لوحة التحكم", "تسجيل الدخول لا يعمل"),
}
NOT_HELD = {
    "fr": ("Traduire la page d'accueil en espagnol", "Écrire un poème sur la mer"),
    "pt": ("Escrever um poema sobre o mar", "Traduzir a página inicial para espanhol"),
    "ar": ("كتابة قصيدة عن البحر", "ترجمة الصفحة الرئيسية إلى الإسبانية"),
}


@pytest.fixture
async def with_model(data_dir: Path) -> AsyncIterator[EpisodicMemory]:
    async with open_memory(load_config(env={}, flags={"storage.data_dir": str(data_dir)})) as memory:
        yield memory


@pytest.mark.parametrize("language", HELD)
async def test_what_is_held_is_found_and_what_is_not_is_not(with_model: EpisodicMemory, language: str) -> None:
    task, asked = HELD[language]
    await attempt(with_model, task, "success", shell("make fixed"))
    found = await with_model.recall(asked)
    assert [(row.task, bool(row.points)) for row in found.episodes] == [(task, True)]
    assert (await with_model.recall(task)).episodes[0].similarity == pytest.approx(1.0)
    for other in NOT_HELD[language]:
        assert not (await with_model.recall(other)).episodes, other
