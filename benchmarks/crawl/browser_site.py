"""The pages that browsers race over: drawn by an inline script, each with ten small files around it.

`python -m benchmarks.crawl.browser_site` serves them on a free port of loopback and prints it.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import threading

PAGES = 40
POSTS = (40, 160)  # on each page
_WORDS = (
    "杯盖", "漏水", "客服", "退货", "掉色", "物流", "很快", "满意", "包装", "破损", "味道", "有点大", "第二次买", "推荐给朋友",
    "质量一般", "封口", "瓶底", "和图片不一样", "已经换新", "等了三天",
)
_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc0f01f00"
    "05000201a3d0a1ff0000000049454e44ae426082"
)
_DRAW = (
    "const feed=document.getElementById('feed');for(const d of D){const e=document.createElement('div');"
    "e.className='item c'+(d.t.length%150);e.dataset.id=d.id;e.innerHTML='<h3></h3><p class=text></p>';"
    "e.firstChild.textContent=d.id;e.lastChild.textContent=d.t;feed.append(e)}"
)


def build(pages: int = PAGES) -> dict[str, tuple[str, bytes]]:
    """Return path → content type and body."""
    chance = random.Random(7)
    sheet = "body{font:14px sans-serif}" + "".join(f".c{i}{{color:#{i * 991 % 4096:03x};margin:{i % 9}px}}" for i in range(150))
    script = "(function(){var a=[];for(var i=0;i<3000;i++){a.push(i*i%7)}window.n=a.length})();//" + "x" * 4000
    files: dict[str, tuple[str, bytes]] = {"/robots.txt": ("text/plain", b"User-agent: *\nAllow: /\n")}
    for page in range(pages):
        posts = [
            {"id": f"{page}-{n}", "t": "，".join(chance.choices(_WORDS, k=chance.randint(5, 20)))}
            for n in range(chance.randint(*POSTS))
        ]
        head = "".join(f'<link rel=stylesheet href="/s/{page}-{i}.css">' for i in range(2))
        head += "".join(f'<script defer src="/s/{page}-{i}.js"></script>' for i in range(2))
        head += "".join(f'<img src="/s/{page}-{i}.png" alt="">' for i in range(6))
        text = (
            f"<!doctype html><meta charset=utf-8><title>第{page}页</title>{head}<div id=feed></div>"
            f"<script>const D={json.dumps(posts, ensure_ascii=False)};{_DRAW}</script>"
        ).encode()
        text += b"<!--" + b"y" * max(0, chance.randint(15_000, 60_000) - len(text) - 7) + b"-->"
        files[f"/p/{page}"] = ("text/html; charset=utf-8", text)
        for i in range(2):
            files[f"/s/{page}-{i}.css"] = ("text/css", sheet.encode())
            files[f"/s/{page}-{i}.js"] = ("text/javascript", script.encode())
        for i in range(6):
            files[f"/s/{page}-{i}.png"] = ("image/png", _PIXEL + bytes(3000))
    return files


async def serve(pages: int) -> None:
    """Answer until standard input is closed."""
    answers = {
        path: f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        for path, (kind, body) in build(pages).items()
    }

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                path = (await reader.readuntil(b"\r\n\r\n")).split(b" ", 2)[1].decode()
                writer.write(answers.get(path) or b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
        except (OSError, EOFError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    threading.Thread(target=lambda: (sys.stdin.read(), loop.call_soon_threadsafe(over.set)), daemon=True).start()
    await over.wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]) if len(sys.argv) > 1 else PAGES))
