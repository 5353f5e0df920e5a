"""JavaScript object literals to JSON text: what pages assign in scripts but no JSON reader takes.

Only literals: nothing is evaluated. Quotes of all three kinds, bare keys, comments, trailing commas, `!0`, `!1`,
`void 0`, `undefined` and `NaN` are understood; a call or an expression leaves text that is no JSON.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    # Unclosed strings and comments run to the end, or every mark inside them would be tried anew.
    r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\Z)'
    r"|'[^'\\]*(?:\\.[^'\\]*)*(?:'|\Z)"
    r"|`[^`\\]*(?:\\.[^`\\]*)*(?:`|\Z)"
    r"|/\*.*?(?:\*/|\Z)|//[^\n]*"
    r"|void\s+0\b|![01]\b|[A-Za-z_$][\w$]*|[+-]?\.?\d[\w.+-]*|[{}\[\]:,]|\s+|.",
    re.S,
)
_WORDS = {
    "undefined": "null", "NaN": "null", "Infinity": "null", "!0": "true", "!1": "false", "true": "true",
    "false": "false", "null": "null",
}
_HEX = re.compile(r"\\x([0-9a-fA-F]{2})")
# Escapes that JavaScript knows and JSON does not: the character stands for itself.
_NEEDLESS = re.compile(r'\\([^"\\/bfnrtu])', re.S)


def to_json(literal: str) -> str:
    """Return JSON text for a JavaScript literal; text that is none comes back as unreadable as it was."""
    tokens = [token for token in _TOKEN.findall(literal) if not token.isspace() and not token.startswith(("//", "/*"))]
    written: list[str] = []
    for index, token in enumerate(tokens):
        following = tokens[index + 1] if index + 1 < len(tokens) else ""
        if token in ("}", "]") and written and written[-1] == ",":
            written.pop()
        written.append(_one(token, is_key=following == ":" and _opens(tokens, index)))
    return "".join(written)


def double_quoted(literal: str) -> str:
    """Return a JavaScript string literal of any quotes as a JSON string."""
    pieces = re.split(r"(\\.)", literal[1:-1], flags=re.S)
    body = "".join(piece if piece.startswith("\\") else piece.replace('"', '\\"') for piece in pieces)
    body = _HEX.sub(r"\\u00\1", body).replace("\\\n", "")
    return f'"{_NEEDLESS.sub(lambda match: match.group(1), body)}"'


def _one(token: str, is_key: bool) -> str:
    if token[0] in "\"'`":
        return double_quoted(token)
    if is_key:
        return f'"{token}"'
    return "null" if token.startswith("void") else _WORDS.get(token, token)


def _opens(tokens: list[str], index: int) -> bool:
    """A key stands after an opening brace or a comma."""
    return index > 0 and tokens[index - 1] in ("{", ",")
