// Draws 山楂笔记: the feed from /api/feed, a note from window.__INITIAL_STATE__.
(function () {
  "use strict";

  function sign(text) {
    let value = 5381;
    for (const char of text) {
      value = (Math.imul(value, 33) + char.codePointAt(0)) >>> 0;
    }
    return value.toString(16).padStart(8, "0");
  }

  function make(tag, name, text) {
    const node = document.createElement(tag);
    node.className = name;
    if (text !== undefined) node.textContent = text;
    return node;
  }

  function drawCard(item, index) {
    const card = make("section", "note-card");
    const link = make("a", "note-link");
    link.href = "/note/" + item.id;
    link.append(make("span", "cover cover-" + (index % 6), item.title.slice(0, 1)), make("span", "card-title", item.title));
    const foot = make("span", "card-foot");
    foot.append(make("span", "card-author", item.author), make("span", "card-likes", "♡ " + item.likes));
    card.append(link, foot);
    return card;
  }

  function startFeed(feed) {
    const button = document.querySelector(".load-more");
    const word = new URLSearchParams(location.search).get("q") || "";
    let cursor = "0", busy = false, done = false;

    async function more() {
      if (busy || done) return;
      busy = true;
      await new Promise((resolve) => setTimeout(resolve, 200));
      const url = "/api/feed?cursor=" + cursor + "&q=" + encodeURIComponent(word);
      const answer = await fetch(url, { headers: { "X-Feed-Sign": sign(cursor + "|" + word) } });
      const data = (await answer.json()).data;
      data.items.forEach((item, index) => feed.append(drawCard(item, index + Number(cursor))));
      cursor = data.cursor;
      done = !data.hasMore;
      busy = false;
      button.hidden = done;
      if (done) feed.after(make("p", "feed-end", "— 没有更多了 —"));
    }

    button.addEventListener("click", more);
    addEventListener("scroll", function () {
      if (innerHeight + scrollY > document.documentElement.scrollHeight - 400) more();
    });
    more();
  }

  function drawNote(box, note) {
    document.title = note.title + " - 山楂笔记";
    const meta = make("p", "note-meta");
    meta.append(make("span", "author", note.author.name), make("span", "time", note.timeText), make("span", "place", note.place));
    const desc = make("div", "desc");
    note.desc.split("\n").forEach((line) => desc.append(make("p", "line", line)));
    const counts = make("p", "counts");
    counts.append(make("span", "like-count", note.counts.like), make("span", "collect-count", note.counts.collect),
      make("span", "comment-count", note.counts.comment));
    box.append(make("h1", "title", note.title), meta, desc, counts);
  }

  function drawComment(item) {
    const row = make("div", "comment");
    row.id = "c-" + item.id;
    row.append(make("span", "comment-author", item.user.name), make("p", "comment-text", item.content),
      make("span", "comment-time", item.timeText), make("span", "comment-likes", item.likes));
    return row;
  }

  const feed = document.getElementById("feed");
  const box = document.getElementById("note");
  if (feed) startFeed(feed);
  if (box) {
    const state = window.__INITIAL_STATE__.note;
    drawNote(box, state.current);
    document.getElementById("comments").append(...state.comments.items.map(drawComment));
  }
})();
