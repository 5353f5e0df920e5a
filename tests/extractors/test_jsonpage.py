"""Bodies, state objects in pages, and the cutter."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crawlers.extractors.jsonpage import cut_balanced, descendants, find_state, lenient, parse_json, search
from crawlers.extractors.result import SpecError

VALUE = {"a": [1, {"b": "带 ] 和 } 的“字”，undefined，</div>"}], "c": None}
TEXT = json.dumps(VALUE, ensure_ascii=False)


@pytest.mark.parametrize("body", [
    TEXT, f"\ufeff{TEXT}", f"callback({TEXT});", f"/**/ jsonp_12({TEXT})", f"try{{cb({TEXT})}}catch(e){{}}",
    f")]}}'\n{TEXT}", f"while(1);{TEXT}", f"window.cb.x({TEXT});\n",
])
def test_bodies(body: str) -> None:
    assert parse_json(body) == VALUE


@pytest.mark.parametrize("body", ["", "<html></html>", "callback(", "hello", '{"a":'])
def test_bodies_that_are_none(body: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_json(body)


@pytest.mark.parametrize(("script", "name"), [
    (f"window.__INITIAL_STATE__={TEXT}", "window.__INITIAL_STATE__"),
    (f"window.__INITIAL_STATE__ = {TEXT};(function(){{var s;}}());", "window.__INITIAL_STATE__"),
    (f'window["__STATE__"] = {TEXT};', "window.__STATE__"),
    (f"var $render_data = [{TEXT}][0] || {{}};", "$render_data"),
    (f"var MY_STATE={{}};var STATE={TEXT}", "STATE"),
    (f"if(STATE==1){{}};STATE = {TEXT}", "STATE"),
    (f"window.S = JSON.parse({json.dumps(TEXT)})", "window.S"),
    (f"window.S = {TEXT}", "window.nothing || window.S"),
])
def test_states_in_scripts(script: str, name: str) -> None:
    assert find_state(f"<html><script>{script}</script><p>x</p></html>", name) == VALUE


def test_states_in_script_elements() -> None:
    plain = f'<script id="__NEXT_DATA__" type="application/json">{TEXT}</script>'
    assert find_state(plain.replace("</div>", ""), "__NEXT_DATA__")["c"] is None
    coded = '<script id="RENDER_DATA" type="application/json">%7B%22a%22%3A%22%E4%B8%AD%22%7D</script>'
    assert find_state(coded, "RENDER_DATA") == {"a": "中"}


def test_javascript_that_is_no_json() -> None:
    page = "<script>window.S={a:'x',b:undefined,\"c\":[undefined,NaN,],'t':\"undefined, 不动\"};go()</script>"
    assert find_state(page, "window.S") == {"a": "x", "b": None, "c": [None, None], "t": "undefined, 不动"}


@pytest.mark.parametrize("page", [
    "", "<script>window.S</script>", "<script>window.S={</script>", "<script>window.S=(function(){return {}})()</script>",
    "<p>window.S= 是什么</p>",
])
def test_states_that_are_not_there(page: str) -> None:
    with pytest.raises(ValueError, match=r"window\.S"):
        find_state(page, "window.S")


@given(st.recursive(
    st.none() | st.booleans() | st.integers(-10**9, 10**9) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4), max_leaves=12,
).filter(lambda value: isinstance(value, (dict, list)) and bool(value)), st.text(max_size=20))
@settings(deadline=None, max_examples=150)
def test_whatever_is_written_is_found(value: Any, after: str) -> None:
    text = json.dumps(value, ensure_ascii=False)
    assert cut_balanced(text + after, 0) == text
    page = f"<script>var a=1;window.__D__ = {text.replace('</', '<' + chr(92) + '/')};{re.sub('[<]', '', after)}</script>"
    found = find_state(page, "window.__D__") if not (isinstance(value, list) and len(value) == 1) else value
    assert found == value


@given(st.text(alphabet="{}[]\"'\\`ab,:undefi ", max_size=80))
@settings(deadline=None, max_examples=300)
def test_the_cutter_and_the_reader_never_raise(text: str) -> None:
    cut = cut_balanced("{" + text, 0)
    assert cut is None or cut.startswith("{")
    lenient(text)


def test_many_open_brackets_are_cut_in_linear_time() -> None:
    assert cut_balanced("{[" * 200_000, 0) is None
    assert cut_balanced('{"' * 100_000, 0) is None


def test_paths() -> None:
    root = {"kind": "t", "data": [{"kind": "c", "n": 0, "in": {"kind": "c", "n": 1}}]}
    assert search("data[0].n", root, root) == 0
    assert search("$.kind", root["data"], root) == "t"
    assert search("**[?kind=='c'].n", root, root) == [0, 1]
    assert search("length(kind.x)", root, root) is None
    assert [item["kind"] for item in descendants(root)] == ["t", "c", "c"]
    with pytest.raises(SpecError, match="JMESPath"):
        search("data[", root, root)
