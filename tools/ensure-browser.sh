#!/usr/bin/env bash
# Finds a Chromium that can be launched, or installs one: an installed one first, then Playwright's own,
# then the distribution's package. Without any, browser sources are reported as not-run and all else works.
set -u
have() { "$PY" -m vocwatch.browser >/dev/null 2>&1; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; elif sudo -n true 2>/dev/null; then sudo "$@"; else return 1; fi; }
fonts() { fc-list ":lang=zh" 2>/dev/null | grep -q .; }

if ! have; then
  echo "没有找到可用的浏览器，正在安装 / no usable browser found, installing one"
  "$PY" -m playwright install chromium-headless-shell >/dev/null 2>&1 || true
fi
if ! have && command -v apt-get >/dev/null; then
  as_root apt-get update -qq >/dev/null 2>&1
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null 2>&1 || true
fi
if ! fonts && command -v apt-get >/dev/null; then
  as_root apt-get update -qq >/dev/null 2>&1
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends fontconfig fonts-noto-cjk >/dev/null 2>&1 || true
fi
have || echo "仍没有浏览器：浏览器来源会标为未运行，其余照常。可手动安装：python -m playwright install --with-deps chromium / still no browser: browser sources will be reported as not-run"
exit 0
