"""F41: nothing personal gets through, and next to nothing else is taken away with it."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from benchmarks.pii import corpora, leaks, synthetic
from sessions.importer import import_file
from tests.conftest import SHARED
from tests.sessions.samples import HEADER, chat, row, write_csv
from vocwatch.masking import mask, mask_with_report
from vocwatch.settings import Settings
from vocwatch.store import Store


def test_F41_none_of_5000_made_up_items_is_left() -> None:
    assert leaks(5000, seed=41) == {}


def test_F41_none_is_left_in_the_store_either(settings: Settings, sqlite_store: Store, tmp_path: Path) -> None:
    made = [(value, sentence) for _, value, sentence in synthetic(200, seed=3)]
    rows = [row(number, 聊天记录=chat(said=sentence), 商品名称=sentence) for number, (_, sentence) in enumerate(made)]
    assert import_file(settings, sqlite_store, write_csv(tmp_path / "非满意.csv", [HEADER, *rows])).added == 200
    with sqlite_store.read() as connection:
        dump = "".join(
            str(found) for table in sa.inspect(connection).get_table_names()
            for found in connection.execute(sa.text(f'SELECT * FROM "{table}"'))
        )
    assert not [value for value, _ in made if value in dump]


@pytest.mark.parametrize(("text", "masked"), [
    ("我女儿叫李子涵，读三年级2班", "我女儿叫[姓名]，读[学校班级]"),
    ("孩子名字叫王小蕊", "孩子名字叫[姓名]"),
    ("我儿子张浩然今年5岁", "我儿子[姓名]今年5岁"),
    ("宝宝叫陈一诺。", "宝宝叫[姓名]。"),
    ("孩子在青石路小学三（2）班", "孩子在[学校班级]"),
    ("送到松果幼儿园大2班", "送到[学校班级]"),
    ("在初二3班", "在[学校班级]"),
])
def test_F41_children(text: str, masked: str) -> None:
    assert mask(text) == masked


@pytest.mark.parametrize("text", [
    "儿子叫高兴坏了", "女儿叫何必呢", "孩子安全，方便", "这周第3班车没赶上", "二年级班费买的", "客服三班倒", "宝宝常用今年才换",
    "买了3件139元", "2026-09-14买的", "型号SG-K101", "尺码165/88A", "5幢好看的房子", "第12号柜台", "满300减40，双11活动价1299", "打12315投诉",
    "差评编号不对", "等了20天", "京东自营", "王者荣耀联名", "保温12小时", "这款水壶1.7L够用", "小学同学推荐的", "幼儿园用的水杯", "容量 350ml 大肚杯",
])
def test_F41_what_is_nobodys_stays(text: str) -> None:
    assert mask(text) == text


@pytest.mark.shared
@pytest.mark.skipif(not (SHARED / "corpora").is_dir(), reason="the corpora are not here")
def test_F41_at_most_one_text_in_a_hundred_is_touched_for_nothing() -> None:
    found = {name: (size, kinds["texts"]) for name, size, kinds in corpora(400)}
    # Reviews of restaurants and hotels name streets and house numbers of the places themselves.
    plain = [pair for name, pair in found.items() if not name.startswith(("aic2018", "ChnSenti"))]
    assert sum(masked for _, masked in plain) <= 0.01 * sum(size for size, _ in plain)


def test_F41_masking_twice_changes_nothing() -> None:
    for _, _, sentence in synthetic(500, seed=9):
        once = mask(sentence)
        assert mask_with_report(once) == (once, {})
