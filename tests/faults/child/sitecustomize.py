"""What a crawl's worker runs first when a test watches it: writes down every connection, and answers for some names.

Connections that would leave this machine are written down and refused. `WATCH_NAMES` holds a JSON object of names and,
for each, the lists of addresses that it is answered with one after the other.
"""

import atexit
import ipaddress
import json
import os
import socket
import sys
from pathlib import Path

folder = os.environ.get("WATCH_FOLDER")
if folder:
    log = Path(folder) / f"{os.getpid()}.jsonl"
    answers = json.loads(os.environ.get("WATCH_NAMES", "{}"))
    real = socket.getaddrinfo

    def write(**what: object) -> None:
        with log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(what) + "\n")

    def lookup(host, *args, **kwargs):  # type: ignore[no-untyped-def]
        name = host.decode() if isinstance(host, bytes) else host
        if name in answers:
            turn = answers[name].pop(0) if len(answers[name]) > 1 else answers[name][0]
            write(asked=name, answered=turn)
            return [entry for address in turn for entry in real(address, None, type=socket.SOCK_STREAM)]
        return real(host, *args, **kwargs)

    def hook(event: str, args: tuple) -> None:  # type: ignore[type-arg]
        if event == "socket.connect" and isinstance(args[1], tuple):
            address = str(args[1][0]).partition("%")[0]
            write(connect=address, port=args[1][1])
            if not ipaddress.ip_address(address).is_loopback:
                raise ConnectionRefusedError(111, "not in a test")

    def peak() -> None:
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                write(peak_kb=int(line.split()[1]), argv=sys.argv[1:])

    socket.getaddrinfo = lookup
    sys.addaudithook(hook)
    atexit.register(peak)
