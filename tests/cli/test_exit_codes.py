"""Each kind of trouble ends in one clear message and its documented exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vocwatch.cli.app import run
from vocwatch.exits import Exit


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == Exit.OK
    assert capsys.readouterr().out.strip()


def test_an_unknown_command_is_usage() -> None:
    assert run(["nonsense"]) == Exit.USAGE


def test_a_bad_date_is_usage_and_says_how_to_write_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["digest", "--date", "昨儿"]) == Exit.USAGE
    assert "2026-11-15" in capsys.readouterr().err


def test_broken_configuration(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "config" / "vocwatch.yaml").write_text("brand: {nam: x}\n", encoding="utf-8")
    assert run(["watch", "list"]) == Exit.CONFIGURATION
    shown = capsys.readouterr().err
    assert "vocwatch.yaml:1" in shown and "最接近的是 name" in shown


def test_missing_configuration(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("VOCWATCH_CONFIG", str(home / "none"))
    assert run(["run"]) == Exit.CONFIGURATION
    assert "VOCWATCH_CONFIG" in capsys.readouterr().err


def test_unreachable_database(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("VOCWATCH_DATABASE_URL", "postgresql+psycopg://nobody:topsecret@127.0.0.1:1/none")
    assert run(["alerts"]) == Exit.STORAGE
    shown = capsys.readouterr().err
    assert "VOCWATCH_DATABASE_URL" in shown and "topsecret" not in shown


def test_crawling_without_any_source_says_how_to_add_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["crawl"]) == Exit.CONFIGURATION
    assert "vocwatch source new" in capsys.readouterr().err


def test_a_run_without_sources_is_incomplete_and_its_digest_says_unknown(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["run", "--engine", "rules"]) == Exit.INCOMPLETE
    shown = capsys.readouterr()
    assert "vocwatch source new" in shown.err and "未知" in shown.err
    assert all(Path(line).exists() for line in shown.out.splitlines() if line.startswith("/"))


def test_an_unknown_source_is_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["crawl", "nowhere"]) == Exit.USAGE
    assert "nowhere" in capsys.readouterr().err


def test_an_empty_export_is_refused_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "空.csv"
    empty.write_bytes(b"")
    assert run(["sessions", "import", str(empty)]) == Exit.USAGE
    assert "空.csv" in capsys.readouterr().err


def test_an_export_with_unknown_headers_is_refused_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    strange = tmp_path / "strange.csv"
    strange.write_text("甲,乙\n1,2\n", encoding="utf-8")
    assert run(["sessions", "import", str(strange)]) == Exit.USAGE
    assert "strange.csv" in capsys.readouterr().err


def test_one_refused_file_does_not_stop_the_others(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("数据来源,时间,店铺,会话ID,聊天记录\n非满意,2026/11/14 9:05,旗舰店,S-1,\"小林（买家）09:05:11\n杯子漏水\"\n", encoding="utf-8")
    bad.write_text("甲,乙\n1,2\n", encoding="utf-8")
    assert run(["sessions", "import", str(bad), str(good)]) == Exit.INCOMPLETE


def test_sending_without_a_mail_server(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["digest", "--date", "2026-11-15", "--send", "--to", "qa@example.com"]) == Exit.DELIVERY
    assert "VOCWATCH_SMTP_HOST" in capsys.readouterr().err


def test_a_digest_goes_into_one_file_of_each_format(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    head = {"html": b"<!DOCTYPE", "text": "【".encode(), "json": b"{", "xlsx": b"PK", "pdf": b"%PDF", "png": b"\x89PNG"}
    endings = {"text": "txt"}
    for format_name, start in head.items():
        out = tmp_path / f"one.{endings.get(format_name, format_name)}"
        code = run(["digest", "--date", "2026-11-15", "--format", format_name, "--out", str(out)])
        if code == Exit.INCOMPLETE and format_name in ("pdf", "png"):
            assert "浏览器" in capsys.readouterr().err and not out.exists()
            continue
        assert code == Exit.OK and out.read_bytes().startswith(start), format_name
    assert run(["digest", "--date", "2026-11-15", "--audience", "owner"]) == Exit.USAGE
    assert run(["digest", "--date", "2026-11-15", "--owner", "何雨"]) == Exit.USAGE
    owner = ["digest", "--date", "2026-11-15", "--audience", "owner", "--owner", "何雨", "--privacy", "--format", "text"]
    capsys.readouterr()
    assert run(owner) == Exit.OK
    told = capsys.readouterr().out
    assert "只含何雨负责的事件" in told and "增强隐私版" in told


def test_english_messages(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--lang", "en", "crawl", "nowhere"]) == Exit.USAGE
    assert "No source nowhere" in capsys.readouterr().err


def test_judge_reads_lines_and_json_and_answers_one_line_each(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = tmp_path / "texts.jsonl"
    texts.write_text('松果匣的杯子漏水\n{"id": "b", "text": "物流很快，很喜欢"}\n{broken\n', encoding="utf-8")
    assert run(["judge", str(texts), "--engine", "rules"]) == Exit.OK
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["id"] for line in lines] == ["1", "b", "3"]
    assert {"sentiment", "score", "topics", "severity", "red_lines", "spans", "watches", "voice"} <= set(lines[0])
    assert lines[0]["sentiment"] == "negative"


def test_nothing_hostile_reaches_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["crawl", "a\x1b]0;own\x07b\nforged"]) == Exit.USAGE
    shown = capsys.readouterr().err
    assert "\x1b" not in shown and "\x07" not in shown and len(shown.strip().splitlines()) == 1


def test_doctor_lists_every_check(capsys: pytest.CaptureFixture[str]) -> None:
    run(["doctor", "--json"])
    lines = json.loads(capsys.readouterr().out)
    assert len(lines) >= 9
    assert all(line["step"] for line in lines if line["state"] != "ok" and line["check"] not in ("推送渠道",))
