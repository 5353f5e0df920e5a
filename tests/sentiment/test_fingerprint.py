"""Near-duplicate signatures."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vocwatch.fingerprint import NEAR_DUPLICATE, band_keys, fingerprint, similarity

TEXT = "松果匣的保温杯用了三天就漏水，找客服客服不理人，退货还要我自己出运费，大家千万别买"


def test_the_same_text_in_any_dress_has_the_same_signature() -> None:
    assert fingerprint(TEXT) == fingerprint(TEXT.replace("，", " ！！ ") + "😡\u200b")


def test_it_is_the_same_in_another_process() -> None:
    code = (
        "import hashlib; from vocwatch.fingerprint import fingerprint;"
        f"print(hashlib.sha256(fingerprint({TEXT!r})).hexdigest())"
    )
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "7"},
    )
    assert told.stdout.strip() == hashlib.sha256(fingerprint(TEXT)).hexdigest()


@pytest.mark.parametrize("copy", [
    f"转发：{TEXT}", TEXT[:-6], TEXT.replace("三天", "两天"), f"避雷！{TEXT}求扩散",
])
def test_copies_are_near_and_share_a_band(copy: str) -> None:
    assert similarity(fingerprint(TEXT), fingerprint(copy)) >= NEAR_DUPLICATE
    assert set(band_keys(fingerprint(TEXT))) & set(band_keys(fingerprint(copy)))


def test_other_texts_are_far() -> None:
    other = fingerprint("松果匣的暖手宝充电慢，不过外形挺可爱，送人合适，包装也用心，物流两天就到了")
    assert similarity(fingerprint(TEXT), other) < 0.2
    assert not set(band_keys(fingerprint(TEXT))) & set(band_keys(other))


def test_short_and_empty_texts() -> None:
    assert similarity(fingerprint("漏水"), fingerprint("漏 水！")) == 1.0
    assert similarity(fingerprint("漏水"), fingerprint("漏水了")) == 0.0
    assert band_keys(fingerprint("漏水")) == band_keys(fingerprint("漏水。"))
    assert len(band_keys(fingerprint("漏水"))) == 1
    assert fingerprint("！！😡") == b"" and band_keys(b"") == [] and similarity(b"", b"") == 0.0
    assert similarity(fingerprint("漏水"), fingerprint(TEXT)) == 0.0


@settings(deadline=None, max_examples=100)
@given(st.text(alphabet=st.characters(), max_size=100))
def test_any_text_has_a_storable_signature(text: str) -> None:
    signature = fingerprint(text)
    assert len(signature) in (0, 17, 257)
    assert similarity(signature, signature) == (1.0 if signature else 0.0)
