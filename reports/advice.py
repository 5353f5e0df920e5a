"""What may be advised, by the kind of complaint. Nothing outside `reports.say` "advice.*" is ever advised.

Paid deletion, burying posts and hired posters are crimes (法释〔2013〕21号 art. 7) and have no entry.
"""

from __future__ import annotations

from reports.say import Say, say
from vocwatch.models import Level

_BY_WORD: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("假货",), ("verify", "legal", "appeal", "statement")),
    (("隐私", "泄露"), ("escalate", "privacy", "legal", "contact")),
    (
        ("安全", "过敏", "烫伤", "漏电", "起火", "异物", "受伤", "召回"),
        ("escalate", "hold", "contact", "batch"),
    ),
    (("维权", "媒体", "监管", "12315", "言论", "未成年"), ("escalate", "verify", "statement", "legal")),
    (("质量",), ("batch", "verify", "aftersales")),
    (("物流", "快递"), ("logistics", "contact")),
    (("客服", "服务", "态度"), ("service", "contact")),
    (("售后", "退款", "退货", "换货"), ("contact", "aftersales")),
    (("价格", "优惠", "保价"), ("verify", "aftersales", "page")),
    (("宣传", "描述"), ("page", "verify", "aftersales")),
)
_OTHERWISE = ("verify", "contact")


def advice_for(topic: str, level: Level, coordinated: bool = False) -> tuple[Say, ...]:
    """Return up to four pieces of advice for a topic, the most pressing first."""
    keys = next((keys for words, keys in _BY_WORD if any(word in topic for word in words)), _OTHERWISE)
    if coordinated and "appeal" not in keys:
        keys = ("appeal", *keys)
    if level is Level.RED and "escalate" not in keys:
        keys = ("escalate", *keys)
    return tuple(say(f"advice.{key}") for key in keys[:4])
