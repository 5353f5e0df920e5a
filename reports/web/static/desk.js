/* The desk's keys and charts. Pages read and work without it; nothing here is needed to see a number. */
"use strict";
(() => {
  const here = document.currentScript;
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

  /* ---- charts: options are JSON in the page; colours are names of CSS variables ---- */
  let loading = null;
  const drawn = new Map();

  function library() {
    loading ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = here.dataset.echarts;
      script.onload = () => resolve(window.echarts);
      script.onerror = reject;
      document.head.append(script);
    });
    return loading;
  }

  function hatch(color) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = 8;
    const pen = tile.getContext("2d");
    pen.strokeStyle = color;
    pen.lineWidth = 1.5;
    pen.beginPath();
    for (const [x, y] of [[0, 8], [-4, 4], [4, 12]]) { pen.moveTo(x, y); pen.lineTo(x + 8, y - 8); }
    pen.stroke();
    return { image: tile, repeat: "repeat" };
  }

  function coloured(value, style) {
    if (typeof value === "string") {
      if (value.startsWith("--")) return style.getPropertyValue(value).trim();
      return value === "hatch" ? hatch(style.getPropertyValue("--edge").trim()) : value;
    }
    if (Array.isArray(value)) return value.map((one) => coloured(one, style));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, coloured(one, style)]));
    }
    return value;
  }

  function draw(echarts, figure) {
    const canvas = $(".canvas", figure);
    const option = JSON.parse(document.getElementById(figure.dataset.chart).textContent);
    const style = getComputedStyle(document.documentElement);
    drawn.get(canvas)?.dispose();
    const chart = echarts.init(canvas, null, { renderer: "canvas" });
    chart.setOption(coloured(option, style));
    chart.on("click", (event) => { if (event.data?.href) location.href = event.data.href; });
    drawn.set(canvas, chart);
    figure.dataset.drawn = "1";
  }

  async function drawAll(again = false) {
    for (const [canvas, chart] of drawn) if (!canvas.isConnected) { chart.dispose(); drawn.delete(canvas); }
    const waiting = $$("figure[data-chart]").filter((figure) => again || !figure.dataset.drawn);
    if (!waiting.length) return;
    try {
      const echarts = await library();
      for (const figure of waiting) if (figure.isConnected) draw(echarts, figure);
    } catch {
      for (const figure of waiting) { $(".canvas", figure).hidden = true; const table = $("details.data", figure); if (table) table.open = true; }
    }
  }

  addEventListener("resize", () => { for (const chart of drawn.values()) chart.resize(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => drawAll(true));

  /* ---- rows: j and k walk, the row's own link opens ---- */
  const rows = () => $$("[data-row]").filter((row) => row.offsetParent !== null);
  const linkOf = (row) => $("a[data-main], a", row);

  function current() {
    return document.activeElement?.closest?.("[data-row]") || $("[data-row].current");
  }

  function walk(step) {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(current());
    const next = all[Math.max(0, Math.min(all.length - 1, at < 0 ? 0 : at + step))];
    for (const row of all) row.classList.toggle("current", row === next);
    linkOf(next)?.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }

  function press(selector, root = document) {
    const button = root && $(selector, root);
    if (button) button.click();
    return Boolean(button);
  }

  /* ---- keys ---- */
  const GO = { t: "today", i: "incidents", m: "mentions", o: "topics", s: "sessions", y: "sources", w: "watches" };
  let going = 0;

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const typing = event.target.closest?.("input,textarea,select,[contenteditable]");
    if (event.key === "Escape" && typing) { event.target.blur(); return; }
    if (typing || $("dialog[open]")) return;
    const done = key(event);
    if (done) event.preventDefault();
  });

  function key(event) {
    if (going && Date.now() - going < 1500) {
      going = 0;
      return GO[event.key] ? press(`.nav [data-go="${GO[event.key]}"]`) : false;
    }
    if (event.key === "/") { $("#search")?.focus(); $("#search")?.select(); return true; }
    if (event.key === "?") { $("#help")?.showModal(); return true; }
    if (event.key === "g") { going = Date.now(); return true; }
    if (event.key === "j" || event.key === "k") { walk(event.key === "j" ? 1 : -1); return true; }
    if (event.key === "u") return press("[data-undo]");
    if (/^[1-5]$/.test(event.key)) return press(`[data-mark="${event.key}"]`, current() || $("[data-triage]"));
    return false;
  }

  /* ---- life ---- */
  function offline(shown) { const line = $("#offline"); if (line) line.hidden = !shown; }

  function ready() {
    for (const button of $$("[data-help]")) { button.hidden = false; button.onclick = () => $("#help").showModal(); }
    if (matchMedia("(min-width: 1000px)").matches) for (const box of $$("details[data-open-wide]")) box.open = true;
    for (const field of $$("[data-submit-on-change]")) field.onchange = () => field.form.requestSubmit();
    drawAll();
  }

  addEventListener("DOMContentLoaded", ready);
  document.addEventListener("htmx:after:swap", ready);
  document.addEventListener("htmx:error", () => offline(true));
  document.addEventListener("htmx:after:request", (event) => {
    offline(false);
    const { response, select } = event.detail.ctx;
    const partial = response.raw.redirected && select === "#view" && !event.detail.ctx.text.includes('id="view"');
    if (partial) location.href = response.raw.url; // the session ended: the answer is the page to log in
  });
})();
