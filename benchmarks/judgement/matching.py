"""Two thousand watches over a hundred thousand texts: `python -m benchmarks.judgement.matching`.

Invented names and texts, made by counting, so that every run sees the same. The baseline is one plain alternation
of the same names by `re` (exact names only) on a sample, in the same run.
"""

from __future__ import annotations

import argparse
import random
import re
import resource
import time
from collections.abc import Sequence

from sentiment.matching import Matcher
from sentiment.normalise import normalise
from sentiment.voice import voice_of
from vocwatch.fingerprint import fingerprint
from vocwatch.models import TextInput
from vocwatch.settings.watches import Watches

# The 3,755 commonest characters, as the first level of GB 2312 lists them.
_COMMON = [bytes((high, low)).decode("gb2312") for high in range(0xB0, 0xD8) for low in range(0xA1, 0xFF) if (high, low) < (0xD7, 0xFA)]
_SAYS = (
    "的杯子用了三天就漏水，客服半天不回", "家新款真心不错，回购第三回了", "退货还要自己贴运费，避雷", "的面料起球，洗两次就没法看",
    "到底是不是正品啊，味道好冲", "物流隔天就到，包装也严实",
)
_TALK = (
    "今天下班路上看到一只小猫，蹲了好久", "周末去爬山，鞋底都磨坏了😂", "孩子作业写到十点，老母亲心累", "这家店的面条分量足，就是有点咸",
    "手机又没电了，充电线也找不到", "同事推荐的剧真好看，一口气刷完",
)


def names(count: int, seed: int = 7) -> list[str]:
    """Return that many invented names of three characters."""
    draw = random.Random(seed)
    return ["".join(draw.choices(_COMMON, k=3)) for _ in range(count)]


def texts(brands: Sequence[str], count: int, seed: int = 8) -> list[str]:
    """Return that many texts of about 45 characters, of which one in ten names a brand (some of them disguised)."""
    draw = random.Random(seed)
    made = []
    for number in range(count):
        talk = f"{draw.choice(_TALK)}，{draw.choice(_TALK)}"
        if number % 10 == 0:
            name = draw.choice(brands)
            name = name if number % 50 else "*".join(name)
            talk = f"{draw.choice(_TALK)}。{name}{draw.choice(_SAYS)}"
        made.append(f"{talk}{number % 97}")
    return made


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--watches", type=int, default=2000)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--sample", type=int, default=2000)
    options = parser.parse_args()
    brands = names(options.watches)
    posts = texts(brands, options.texts)
    print(f"{'':<44}{'seconds':>9}{'µs/text':>9}{'texts hit':>11}")
    for count in (20, options.watches):
        _ours(brands[:count], posts)
    _baseline(brands, posts[:options.sample], options.texts)
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024} MB")


def _ours(brands: Sequence[str], posts: Sequence[str]) -> None:
    made = Watches.model_validate({"watches": [{"id": f"w{n}", "kind": "competitor", "name": b} for n, b in enumerate(brands)]})
    start = time.process_time()
    matcher = Matcher(made)
    _row(f"{len(brands)} watches made ready", time.process_time() - start)
    items = [TextInput("", text) for text in posts]
    start = time.process_time()
    forms = [normalise(text) for text in posts]
    _row("  normal form", time.process_time() - start, len(posts))
    start = time.process_time()
    hit = sum(bool(matcher.match(item, form).hits) for item, form in zip(items, forms, strict=True))
    _row("  matching, with all variants", time.process_time() - start, len(posts), hit)
    start = time.process_time()
    for form in forms:
        voice_of(form.text)
    _row("  voice", time.process_time() - start, len(posts))
    start = time.process_time()
    for text in posts:
        fingerprint(text)
    _row("  fingerprint", time.process_time() - start, len(posts))


def _baseline(brands: Sequence[str], sample: Sequence[str], count: int) -> None:
    pattern = re.compile("|".join(map(re.escape, brands)))
    start = time.process_time()
    hit = sum(bool(pattern.findall(text)) for text in sample)
    seconds = time.process_time() - start
    _row(f"re alternation, exact names, {len(sample)} texts", seconds, len(sample), hit)
    _row(f"  the same for {count} texts (extrapolated)", seconds * count / len(sample), count)


def _row(name: str, seconds: float, count: int = 0, hit: int | None = None) -> None:
    each = f"{seconds / count * 1e6:>9.1f}" if count else f"{'':>9}"
    print(f"{name:<44}{seconds:>9.2f}{each}{'' if hit is None else hit:>11}")


if __name__ == "__main__":
    main()
