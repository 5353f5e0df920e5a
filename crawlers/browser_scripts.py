"""The JavaScript that a tab runs in pages: how it sees that a page is ready, and takes what is there.

A page can only deceive itself with it: what it shows us is its own to say. Whatever takes too long is given up from
outside (`crawlers.browser_tab`).
"""

from __future__ import annotations

import json
from typing import Any

STILL_MS = 25  # so long without a change: two frames

# Before a page's own scripts: remember which short timers are waiting, since what they will draw is not there yet;
# and no service workers, which would live on after their page.
BEFORE = """(() => {
  if (window !== window.top) return;
  const due = new Map(), set = window.setTimeout, clear = window.clearTimeout;
  window.setTimeout = function (handler, delay, ...rest) {
    if (typeof handler !== 'function') return set.call(window, handler, delay, ...rest);
    const id = set.call(window, function (...given) { due.delete(id); return handler.apply(this, given); },
                        delay, ...rest);
    due.set(id, performance.now() + (+delay || 0));
    return id;
  };
  window.clearTimeout = function (id) { due.delete(id); return clear.call(window, id); };
  Object.defineProperty(window, '__vocwatch', {value: {set, due}});
  if (navigator.serviceWorker) navigator.serviceWorker.register = () => new Promise(() => {});
})()"""

LOADED = """new Promise(done => {
  if (document.readyState !== 'loading') done(true);
  else document.addEventListener('DOMContentLoaded', () => done(true), {once: true});
})"""

_PRESENT = """(([css, limit]) => new Promise(done => {
  const set = window.__vocwatch ? window.__vocwatch.set : setTimeout, end = performance.now() + limit;
  (function look() {
    if (document.querySelector(css)) done(true);
    else if (performance.now() >= end) done(false);
    else set.call(window, look, 20);
  })();
}))"""

_MORE = """(([css, seen, limit]) => new Promise(done => {
  const set = window.__vocwatch ? window.__vocwatch.set : setTimeout, end = performance.now() + limit;
  (function look() {
    if (document.querySelectorAll(css).length > seen) done(true);
    else if (performance.now() >= end) done(false);
    else set.call(window, look, 20);
  })();
}))"""

# Quiet: loaded, unchanged for two frames, and no timer due that would still have had its turn.
_QUIET = """(([still, limit]) => new Promise(done => {
  const {set, due} = window.__vocwatch || {set: setTimeout, due: new Map()};
  const begin = performance.now();
  let changed = begin;
  const watch = new MutationObserver(() => { changed = performance.now(); });
  watch.observe(document, {childList: true, subtree: true, characterData: true});
  (function look() {
    const now = performance.now();
    const waiting = () => { for (const at of due.values()) if (at <= begin + limit) return true; return false; };
    const quiet = document.readyState === 'complete' && now - changed >= still && !waiting();
    if (quiet || now - begin >= limit) { watch.disconnect(); done(quiet); }
    else set.call(window, look, 8);
  })();
}))"""

_SCROLL = """(css => {
  const count = document.querySelectorAll(css).length;
  window.scrollTo(0, document.body ? document.body.scrollHeight : 0);
  return count;
})"""

_TAKE = """(most => {
  const root = document.documentElement;
  const html = root ? root.outerHTML : '';
  if (html.length > most) return {url: location.href, html: null};
  const type = document.doctype ? new XMLSerializer().serializeToString(document.doctype) : '';
  return {url: location.href, html: type + html};
})"""

HEIGHT = "Math.max(document.body ? document.body.scrollHeight : 0, document.documentElement.scrollHeight)"
# Clearing both from inside too: what the page before wrote last may still be on its way to the browser.
FORGET = "try { sessionStorage.clear(); localStorage.clear() } catch (e) {} window.name = ''; true"


def _call(function: str, given: Any) -> str:
    # Escaped, so that no line separator in a selector ends the line.
    return f"{function}({json.dumps(given, ensure_ascii=True)})"


def present(css: str, limit_ms: int) -> str:
    """Wait for something that matches; true when it came."""
    return _call(_PRESENT, [css, limit_ms])


def more(css: str, seen: int, limit_ms: int) -> str:
    """Wait for more than `seen` matches; true when they came."""
    return _call(_MORE, [css, seen, limit_ms])


def quiet(limit_ms: int) -> str:
    """Wait until the page is quiet, for at most `limit_ms`; true when it is."""
    return _call(_QUIET, [STILL_MS, limit_ms])


def scroll(css: str) -> str:
    """Scroll to the end and return how many there were before."""
    return _call(_SCROLL, css)


def take(most: int) -> str:
    """Return `url` and `html` of the page as it stands; without html when it is longer than `most` characters."""
    return _call(_TAKE, most)
