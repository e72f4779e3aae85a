"""Parts of words in scripts without spaces are found, in any place of the word, through the facade on real files."""

import pytest

from mcp_memory.memory import EpisodicMemory

pytestmark = pytest.mark.anyio

TASKS = {
    "修复用户登录页面的数据库连接超时": ("登录", "数据库", "连接", "超时", "页面的数据", "库", "时"),
    "データベース接続のタイムアウトを修正する": ("接続", "タイムアウト", "ベース", "修正", "する"),
    "로그인페이지의 데이터베이스연결을 고친다": ("데이터베이스", "연결", "페이지"),
    "แก้ไขการเชื่อมต่อฐานข้อมูล": ("ฐานข้อมูล", "เชื่อมต่อ"),
    "Fix the Zahlungsmodul": ("zahlungsmodul",),
}


@pytest.mark.parametrize(("task", "part"), [(task, part) for task, parts in TASKS.items() for part in parts])
async def test_a_part_of_an_unspaced_word_finds_its_episode_and_no_other(memory: EpisodicMemory, task: str, part: str) -> None:
    for other in (*TASKS, "Write a poem about the sea", "写一首关于大海的诗"):
        await memory.complete_episode(task=other, outcome="success")
    assert [row.task for row in (await memory.search_episodes(part)).episodes] == [task]
    assert (await memory.recall(part)).episodes[0].task == task


async def test_they_are_found_in_what_came_back_in_lessons_and_while_an_episode_is_open(memory: EpisodicMemory) -> None:
    started = await memory.start_episode("整理配置文件", recall=False)
    assert (await memory.search_episodes("配置")).total == 1
    await memory.log_step(started.episode_id, "bash", arguments={"command": "cat 日志记录"}, observation="错误：磁盘空间不足")
    await memory.complete_episode(started.episode_id, "failure", lessons=["先清理临时目录"])
    await memory.update_episode(started.episode_id, task="整理备份文件")
    for part in ("日志", "空间不足", "临时", "备份"):
        assert (await memory.search_episodes(part)).total == 1, part
    assert (await memory.search_episodes("配置")).total == 0
    assert [row for row in await memory.doctor() if not row[1] and row[0] != "embedding"] == []
