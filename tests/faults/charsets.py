"""Pages whose header, meta tag, byte-order mark and bytes agree or contradict each other, in every combination."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import dataclass

SIMPLE = (
    "买了三个保温杯，杯盖都有点漏水，客服说在处理，等了一周还没有回音。",
    "孩子用了以后手上起红疹，医生说像是过敏，已经停用，希望店家给个说法！",
    "质量不错，颜色也正，就是物流慢了两天，给四星。“包装”很好——下次还来。",
)
# Outside GBK: four bytes each in GB18030.
RARE = "㛃㳚䶮𠮷𣲘这几个字是人名里的，店名叫“㛃㳚堂”，客服𠮷小姐态度很好，杯子还是漏水。"
TRADITIONAL = (
    "買了三個保溫杯，杯蓋都有點漏水，客服說在處理，等了一週還沒有回音。",
    "孩子用了以後手上起紅疹，醫生說像是過敏，已經停用，希望店家給個說法！",
)
NOISE = (b"\x92", b"\x93\x94", b"\xa0", b"\x85", b"\xff", b"\xe6\x88", b"\x80")


@dataclass(frozen=True)
class Fixture:
    """A page and the sentences that it says. `noise`: a few stray bytes in a corner that nobody reads."""

    name: str
    body: bytes
    header: str
    sentences: tuple[str, ...]


def page(sentences: tuple[str, ...], meta: str, extra: str = "") -> str:
    declared = f'<meta charset="{meta}">' if meta else ""
    title = "評價" if sentences[0] in TRADITIONAL else "评价"
    items = "".join(f'<div class="c" id="c{n}"><p>{text}</p></div>' for n, text in enumerate(sentences))
    return f"<!doctype html><html><head>{declared}<title>{title}</title></head><body><h1>{title}</h1>{items}{extra}</body></html>"


def fixtures() -> list[Fixture]:
    """Return more than 200 pages, each another mixture of what it is and what it says it is."""
    return [*_claims(), *_marks(), *_noise(), *_cut()]


def _claims() -> Iterator[Fixture]:
    """Header and meta tag that say nothing, the truth, or something else."""
    bodies = {
        "utf-8": (SIMPLE, (RARE,), TRADITIONAL), "gbk": (SIMPLE,), "gb18030": ((RARE,), (SIMPLE[0], RARE)),
        "big5": (TRADITIONAL,),
    }
    headers = ("", "utf-8", "gb2312", "gb18030", "big5", "iso-8859-1", "windows-1252", "shift_jis", "euc-kr")
    for encoding, texts in bodies.items():
        for number, sentences in enumerate(texts):
            for header in headers:
                for meta in ("", "utf-8", "gb2312"):
                    body = page(sentences, meta).encode(encoding)
                    yield Fixture(f"{encoding}{number}-header:{header}-meta:{meta}", body, header, sentences)


def _marks() -> Iterator[Fixture]:
    """Byte-order marks against everything else."""
    marks = {
        "utf-16-le": codecs.BOM_UTF16_LE, "utf-16-be": codecs.BOM_UTF16_BE, "utf-8": codecs.BOM_UTF8,
        "utf-32-le": codecs.BOM_UTF32_LE,
    }
    for codec, mark in marks.items():
        for header in ("", "gb2312", "utf-16"):
            yield Fixture(f"bom:{codec}-header:{header}", mark + page(SIMPLE, "gb2312").encode(codec), header, SIMPLE)


def _noise() -> Iterator[Fixture]:
    """A few stray bytes in a corner that nobody reads."""
    for encoding, sentences in (("utf-8", SIMPLE), ("gb18030", (RARE,)), ("big5", TRADITIONAL)):
        for number, noise in enumerate(NOISE):
            for header in ("", "gb2312"):
                text = page(sentences, encoding, "<footer>@@</footer>").encode(encoding)
                body = text.replace(b"@@", b"copyright " + noise + b" 2026" + b" all rights reserved" * 20)
                yield Fixture(f"noise{number}:{encoding}-header:{header}", body, header, sentences)
    for header in ("", "utf-8", "gb2312"):  # so short a page that GB18030 nearly fits it
        body = page(SIMPLE[:1], "utf-8", "<footer>@@</footer>").encode().replace(b"@@", b"copyright \xe6\x88 2026")
        yield Fixture(f"noise:short-header:{header}", body, header, SIMPLE[:1])


def _cut() -> Iterator[Fixture]:
    """Pages that end in the middle of a character."""
    for encoding, sentences in (("utf-8", SIMPLE), ("gbk", SIMPLE), ("big5", TRADITIONAL)):
        for keep in (1, 2, 3):
            body = page(sentences, encoding).encode(encoding) + "尾巴很長".encode(encoding)[:keep]
            yield Fixture(f"cut{keep}:{encoding}", body, "", sentences)
