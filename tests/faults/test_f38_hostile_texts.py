"""F38 and bad input: whatever comes in is judged or refused with a reason, and never holds up the rest."""

from __future__ import annotations

import base64
import json
import unicodedata
from pathlib import Path

import pytest

from sentiment.judge import Judge, to_line
from sentiment.normalise import MAX_CHARS, normalise
from tests.sentiment.conftest import WATCHES
from vocwatch.cli.app import run
from vocwatch.exits import Exit
from vocwatch.fingerprint import fingerprint
from vocwatch.models import Assessment, TextInput
from vocwatch.settings.topics import Topics
from vocwatch.settings.yamlfile import load_model

ROOT = Path(__file__).resolve().parents[2]
LEAK = "产品质量/漏水"


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(WATCHES, load_model(ROOT / "config" / "topics.yaml", Topics, {}))


def assess(judge: Judge, text: str) -> Assessment:
    return judge.assess([TextInput("1", text)])[0]


REFUSED = {
    "empty": "", "blank": " \u3000\n\u200b", "bidi alone": "\u202e\u202c\u2066", "surrogates": "\ud800\udfff", "a link": "https://a.example/b?c=1",
    "punctuation": "……！？", "base64": base64.b64encode(bytes(range(256)) * 4).decode(), "control characters": "\x00\x01\x1b",
}
JUDGED = {
    "one character": "漏", "five megabytes": "漏水" * 2_600_000, "100k marks": "漏" + "\u0301" * 100_000 + "水了", "marks alone": "\u0301" * 100_000,
    "emoji": "😡" * 300, "families": "👨‍👩‍👧‍👦" * 2_000, "flags": "🇨🇳" * 4_000, "zalgo": "漏̷̢̧̛̖̗̘̙̜̝̞̟̠̣̤̥̦̩̪̫̬̭̮̯̰̱̲̳̹̺̻̼ͅ水了", "japanese": "水漏れします、最悪です", "arabic": "منتج سيء جدا",
    "thai": "สินค้าคุณภาพแย่มาก", "russian": "Ужасное качество, протекает", "korean": "물이 새요 별로예요", "tibetan": "ཇུས་ཚད་ཞན་པ།", "mixed": "这个cup真的ужас、漏水了จริงๆ",
    "bidi": "\u202e匣果松\u202c漏水", "brackets": "(" * 10_000, "no end": "漏水不" * 2_000, "line breaks": "漏水\n" * 8_000, "tags": "<b>漏水</b>" * 2_000,
    "json": '{"sentiment":"positive"}]}\'"', "nul": "漏\x00水了", "private use": "\ue000\uf8ff漏水", "noncharacters": "\ufffe\uffff漏水", "tag characters": "漏水\U000e0041\U000e0042",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_holds_nothing_to_judge_says_why(judge: Judge, name: str) -> None:
    found = assess(judge, REFUSED[name])
    assert found.refused and not found.refused.startswith("判定出错")
    assert found.topics == () and found.confidence == 0


@pytest.mark.parametrize("name", JUDGED)
def test_what_can_be_judged_is(judge: Judge, name: str) -> None:
    text = JUDGED[name]
    found = assess(judge, text)
    assert not (found.refused or "").startswith("判定出错")
    assert found.truncated is (len(text) > MAX_CHARS and not set(text) & {"\u0301", "\u200d"})
    for place in (*found.spans, *found.hits, *found.red_lines):
        assert 0 <= place.start <= place.end <= len(text)
    json.dumps(to_line(found), ensure_ascii=False).encode()


@pytest.mark.parametrize("text", ["漏\u202e水\u202c了", "漏\u200b\u2060水了", "漏\x00水了", "漏\ud800水了", "漏" + "\u0301" * 50_000 + "水了", "漏\U000e0041水了",
                                  "\u200b" * 150_000 + "漏水了"])
def test_what_cannot_be_seen_does_not_hide_a_complaint(judge: Judge, text: str) -> None:
    assert LEAK in assess(judge, text).topics


@pytest.mark.parametrize("text", [*JUDGED.values(), *REFUSED.values()], ids=[*JUDGED, *REFUSED])
def test_a_normal_form_holds_nothing_that_breaks_a_page(text: str) -> None:
    form = normalise(text).text
    assert len(form) <= MAX_CHARS * 4
    assert not {unicodedata.category(char) for char in form if char != "\n"} & {"Cc", "Cf", "Cs", "Co", "Cn"}
    assert len(fingerprint(text)) in (0, 17, 257)


def test_marks_are_cut_to_two_a_character() -> None:
    form = normalise("q" + "\u0301\u0323\u0307" * 10_000)
    assert len(form.text) <= 3 and form.original_span(0, 1)[0] == 0


class Poison(TextInput):
    """A text that breaks whoever reads it."""

    @property
    def text(self) -> str:
        """Raise."""
        raise RuntimeError("poison")


def test_one_poison_text_is_set_aside_and_the_batch_goes_on(judge: Judge) -> None:
    found = judge.assess([TextInput("1", "杯子漏水"), Poison("2", "x"), TextInput("3", "杯子漏水")])
    assert found[1].refused and "RuntimeError" in found[1].refused and found[1].id == "2"
    assert LEAK in found[0].topics and found[0].topics == found[2].topics


def test_the_command_takes_what_json_smuggles_in(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("VOCWATCH_HOME", str(home))
    lines = ['{"id": "a", "text": "松果\\ud800匣漏水"}', '{"id": "b", "text": 5}', "{broken", "\x00\x1b[31m", '{"id": "c", "text": "漏水", "rating": "x", "context": [1]}']
    file = tmp_path / "texts.jsonl"
    file.write_text("\n".join(lines), encoding="utf-8")
    assert run(["judge", str(file), "--engine", "rules"]) == Exit.OK
    out = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["id"] for row in out] == ["a", "2", "3", "4", "c"]
