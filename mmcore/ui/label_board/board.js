// The Label screen: one product, one key. Python hands over what to show and answers each decision;
// a product moves on only when its answer is here. Contract of `data`: mmcore/ui/label_board/__init__.py.

const PENDING = "rayon.pending"; // a decision that has no answer yet, kept over a reload
const PATIENCE_MS = 2500; // then "not saved yet" is shown, and the decision sent again
const UNSEEN_MS = 120; // a key that bounces must not decide the product that has just appeared
const TRIES = 4; // without an answer from a server that says it is well
const RENEW_MS = 60_000;
const PHOTOS_KEPT = 60;
const BELOW_PX = 10;

const boards = new WeakMap();
const photos = new Map(); // key -> data URL, over all mounts of this page

export default function ({ data, parentElement, setTriggerValue }) {
  let board = boards.get(parentElement);
  if (!board) boards.set(parentElement, (board = new Board(parentElement)));
  board.trigger = setTriggerValue;
  board.show(data);
  return () => board.leave();
}

const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

// never "100%" of what isn't certain, nor "0%" of what isn't impossible
function percent(p) {
  const rounded = Math.round(p * 100);
  if (p < 1 && rounded === 100) return ">99%";
  return p > 0 && rounded === 0 ? "<1%" : `${rounded}%`;
}

function make(tag, name, ...inside) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...inside);
  return element;
}

class Board {
  constructor(root) {
    this.root = root;
    this.$ = (selector) => root.querySelector(selector);
    this.board = this.$(".board");
    this.at = null; // code of the highlighted class
    this.pending = null;
    this.shownToken = null;
    this.listen();
  }

  listen() {
    this.onKey = (event) => this.key(event);
    document.addEventListener("keydown", this.onKey, true);
    this.renewal = setInterval(() => {
      if (!document.hidden && this.item) this.send({ kind: "renew" });
    }, RENEW_MS);
    this.onVisible = () => this.countTime();
    document.addEventListener("visibilitychange", this.onVisible);
    this.onResize = () => this.fit();
    window.addEventListener("resize", this.onResize);
    this.$(".accept").onclick = () => this.enter();
    this.$(".photo").onclick = () => this.zoom(true);
    this.$(".zoom").onclick = () => this.zoom(false);
    this.$(".help .close").onclick = () => this.$(".help").close();
    this.$(".find input").oninput = () => this.search();
    this.$(".note .send").onclick = () => this.sendNote();
    this.$(".note .drop").onclick = () => this.closeNote();
    for (const button of this.root.querySelectorAll(".keys button")) {
      button.onclick = () => this.command(button.dataset.key);
    }
  }

  leave() {
    document.removeEventListener("keydown", this.onKey, true);
    document.removeEventListener("visibilitychange", this.onVisible);
    window.removeEventListener("resize", this.onResize);
    clearInterval(this.renewal);
    clearTimeout(this.timer);
    boards.delete(this.root);
  }

  // The board takes what the window has below it, so that nothing has to be scrolled.
  fit() {
    const top = this.board.getBoundingClientRect().top + (this.scroller?.scrollTop ?? 0);
    this.board.style.setProperty("--room", `${Math.floor(innerHeight - top - BELOW_PX)}px`);
  }

  // --- showing ------------------------------------------------------------------------------

  show(data) {
    this.data = data;
    this.board.classList.toggle("dark", isDark(this.board));
    for (const [key, url] of Object.entries(data.photos)) remember(key, url);
    this.hear(data.answer);
    this.drawClasses(data.classes);
    this.drawBar(data);
    this.drawRecent(data.recent);
    const item = data.item;
    this.$(".done").hidden = Boolean(item);
    this.$(".desk").style.visibility = item ? "" : "hidden";
    if (!item) this.$(".done").replaceChildren(...data.done.map((line) => make("div", "", line)));
    if (item && item.token !== this.shownToken) this.drawItem(item);
    this.item = item;
    this.askForPhotos(item, data.next);
    this.resend(data);
    this.fit();
    if (document.activeElement === document.body) this.board.focus({ preventScroll: true });
  }

  drawItem(item) {
    this.shownToken = item.token;
    this.shownAt = performance.now();
    this.visibleSince = document.hidden ? null : this.shownAt;
    this.seconds = 0;
    this.closeNote();
    this.clearSearch();
    this.zoom(false);
    this.board.dataset.product = item.product_id;
    fill(this.$(".title"), item.title, "no title");
    fill(this.$(".description"), item.description, "no description");
    this.$(".words").scrollTop = 0;
    const facts = [`id ${item.product_id}`, ...item.facts.map(([name, value]) => `${name} ${value}`)];
    this.$(".facts").textContent = facts.join("  ·  ");
    this.$(".facts").title = facts.join("\n");
    this.drawPhoto(item.photo);
    this.drawSuggestion(item);
    this.drawNow(item);
  }

  drawPhoto(key) {
    const frame = this.$(".photo"), image = frame.querySelector("img");
    frame.classList.toggle("none", !key);
    if (!key) return image.removeAttribute("src");
    const url = photos.get(key);
    if (url) image.src = url;
    else image.removeAttribute("src");
  }

  // What Enter does now: the suggestion, or the class that the keys went to.
  drawEnter(item) {
    const best = item.candidates[0], accept = this.$(".accept"), code = this.at ?? best?.code;
    accept.disabled = !code;
    accept.classList.toggle("other", Boolean(this.at));
    accept.querySelector("kbd").hidden = !code;
    accept.querySelector(".name").textContent = code
      ? this.named(code)
      : item.is_hidden
        ? "The suggestion is hidden for this product: decide by yourself (this measures its influence)"
        : "No suggestion: no model in production has seen this product";
    accept.querySelector(".sure").textContent = this.at
      ? "chosen"
      : best ? (best.told ?? `fused ${percent(best.p)}`) : "";
  }

  drawSuggestion(item) {
    this.drawEnter(item);
    this.$(".views").replaceChildren(
      ...["text", "image"].filter((view) => item.views[view]).map((view) => {
        const guess = item.views[view];
        const line = make("span", "", make("i", `dot ${view}`), `${view} `);
        line.append(make("b", "", this.named(guess.code)), ` ${percent(guess.p)}`);
        return line;
      }),
    );
    this.$(".candidates").replaceChildren(...item.candidates.map((c, i) => this.candidate(c, i)));
  }

  candidate({ code, p, told }, index) {
    const meter = make("i");
    meter.style.width = `${100 * p}%`;
    const what = make("span", "what", make("kbd", "", String(index + 1)), make("span", "", this.named(code)));
    const sure = [make("span", "meter", meter), percent(p)];
    const how = make("span", "how", ...(told ? [make("span", "told", told)] : sure));
    const button = make("button", "candidate", what, how);
    button.title = told ? `${this.full(code)}\n${told}` : this.full(code);
    button.onclick = () => this.label(code);
    button.onmouseenter = () => this.explain(code);
    return button;
  }

  drawNow(item) {
    const parts = [];
    if (item.is_flagged) parts.push("⚑ flagged");
    if (item.is_second_opinion) parts.push("second opinion: a colleague has decided, unseen");
    const now = this.$(".now");
    now.textContent = parts.join("  ·  ");
    if (item.label) {
      now.append(parts.length ? "  ·  " : "", "label now: ", make("b", "", this.named(item.label)));
    }
    if (item.told?.length) now.append("  ·  ", item.told.join("  ·  "));
    now.title = now.textContent;
    for (const button of this.$(".classes").children) {
      button.classList.toggle("current", button.dataset.code === item.label);
    }
    this.explain(item.candidates[0]?.code ?? null);
  }

  drawClasses(classes) {
    const key = JSON.stringify(classes);
    if (key === this.classesKey) return;
    this.classesKey = key;
    this.classes = new Map(classes.map((c) => [c.code, c]));
    for (const c of classes) c.words = plain(`${c.code} ${c.fr} ${c.en}`);
    this.$(".classes").replaceChildren(...classes.map((c) => {
      const code = make("span", "code", c.code), name = make("span", "name", c.fr);
      const button = make("button", "class", code, name);
      button.dataset.code = c.code;
      button.title = this.full(c.code);
      button.setAttribute("role", "option");
      button.onclick = () => this.label(c.code);
      button.onmouseenter = () => this.explain(c.code);
      return button;
    }));
  }

  drawBar({ progress, pace, saved_at }) {
    const total = progress.done + progress.waiting;
    const told = (n) => n.toLocaleString("en");
    this.$(".count").textContent = `${told(progress.done)} of ${told(total)} done`;
    this.$(".track i").style.width = total ? `${(100 * progress.done) / total}%` : "0";
    this.$(".pace").textContent = pace;
    if (!this.pending && this.$(".trouble").hidden) this.tell(saved_at ? `saved ${saved_at}` : "", "saved");
  }

  drawRecent(recent) {
    this.$(".recent").replaceChildren(...recent.map((act) => {
      const url = photos.get(act.photo);
      const picture = make(url ? "img" : "span", url ? "" : "blank");
      if (url) picture.src = url;
      const word = act.verb === "label" || act.verb === "accept" ? this.named(act.label) : act.verb;
      const button = make("button", `act${act.is_undone ? " undone" : ""}`, picture, make("span", "", word));
      button.title = `${act.title}\n${word}${act.is_undone ? " (undone)" : ": click to undo"}`;
      button.disabled = act.is_undone;
      button.onclick = () => this.undo(act.act_id);
      return button;
    }));
  }

  named(code) {
    return this.classes.get(code)?.fr ?? code ?? "no label";
  }

  full(code) {
    const c = this.classes.get(code);
    return c ? `${c.code}  ${c.fr}${c.en === c.fr ? "" : `  (${c.en})`}` : code;
  }

  explain(code) {
    const c = this.classes.get(code), line = this.$(".guideline");
    line.replaceChildren();
    if (c) line.append(make("b", "", this.full(code)), c.guideline ? `: ${c.guideline}` : "");
  }

  tell(text, state) {
    const line = this.$(".state");
    line.className = `state ${state}`;
    line.textContent = text;
  }

  askForPhotos(item, next) {
    const wanted = [item?.photo, next?.photo].filter((key) => key && !photos.has(key));
    if (wanted.length) this.send({ kind: "photos", keys: wanted });
  }

  // --- deciding -----------------------------------------------------------------------------

  enter() {
    const best = this.item?.candidates[0];
    if (this.at) this.label(this.at);
    else if (best) this.decide("accept", { code: best.code });
    else this.shake();
  }

  // A key that can do nothing says so, or people believe that it was not heard.
  shake() {
    this.board.classList.remove("shake");
    void this.board.offsetWidth; // starts the movement anew
    this.board.classList.add("shake");
  }

  label(code) {
    if (this.item && code) this.decide("label", { code });
    else this.shake();
  }

  undo(act = null) {
    this.act({ kind: "undo", token: freshToken(), act });
  }

  decide(kind, what) {
    if (!this.item || performance.now() - this.shownAt < UNSEEN_MS) return;
    this.countTime();
    const { id, token, version, title, candidates, model } = this.item;
    const suggestion = candidates.length ? { ...candidates[0], model } : null;
    this.act({ kind, id, token, version, title, suggestion, seconds: this.seconds, ...what });
  }

  act(decision) {
    if (this.pending) return; // one at a time: the next product isn't here yet
    this.pending = decision;
    this.tries = 0;
    this.wasDown = false;
    this.$(".trouble").hidden = true;
    this.tell("saving…", "saving");
    keep(decision);
    this.transmit();
  }

  transmit() {
    this.tries += 1;
    this.send(this.pending);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      if (!this.pending) return;
      this.tell("not saved yet: no answer, trying again. Your decision is kept", "unsaved");
      this.reloadIfServerIsNew();
      this.transmit();
    }, PATIENCE_MS);
  }

  // A server that was started anew doesn't know this page any more: it hears nothing until the page
  // is loaded again. The decision is kept over that, and sent then.
  async reloadIfServerIsNew() {
    const asked = this.pending;
    let isUp = false;
    try {
      isUp = (await fetch(new URL("_stcore/health", location.href), { cache: "no-store" })).ok;
    } catch {
      this.wasDown = true;
    }
    if (!isUp || this.pending !== asked || asked.isReloaded) return;
    if (!this.wasDown && this.tries < TRIES) return; // it may only be busy
    keep({ ...asked, isReloaded: true });
    location.reload();
  }

  // a number makes two equal triggers different, or the second would not be sent
  send(message) {
    this.count = (this.count ?? 0) + 1;
    this.trigger("act", { ...message, count: this.count });
  }

  hear(answer) {
    if (!this.pending || answer?.token !== this.pending.token) return;
    const decision = this.pending;
    this.pending = null;
    clearTimeout(this.timer);
    keep(null);
    if (answer.error) this.refused(decision, answer);
  }

  refused(decision, { error, stale_version }) {
    this.tell("not saved", "unsaved");
    const box = this.$(".trouble");
    box.hidden = false;
    box.replaceChildren(error);
    if (decision.kind === "undo") return;
    const wish = decision.code ? this.named(decision.code) : decision.kind;
    const about = decision.title ? ` (${decision.title})` : "";
    box.append(make("div", "", `Your decision${about}: ${wish}. `));
    const again = make("button", "", stale_version == null ? "Try again" : `Save ${wish} all the same`);
    again.onclick = () => this.act({ ...decision, version: stale_version ?? decision.version });
    const drop = make("button", "", "Leave it and go on");
    drop.onclick = () => this.act({ kind: "drop", token: freshToken(), id: decision.id });
    box.append(again, drop);
  }

  // a decision that a reload or a broken connection left without an answer
  resend() {
    if (this.pending || this.hasResent) return;
    this.hasResent = true;
    const kept = keep();
    if (kept) this.act(kept);
  }

  countTime() {
    const now = performance.now();
    if (this.visibleSince !== null) this.seconds += (now - this.visibleSince) / 1000;
    this.visibleSince = document.hidden ? null : now;
  }

  // --- keys ---------------------------------------------------------------------------------

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const target = event.composedPath()[0], isOurs = this.root.contains(target);
    if (this.$(".help").open) return;
    if (document.querySelector('[role="dialog"]') || (!isOurs && isInteractive(target))) return;
    if (target === this.$(".note input")) return this.keyInNote(event);
    if (target === this.$(".find input")) return this.keyInSearch(event);
    if (isOurs && target.matches("button:focus-visible") && ["Enter", " "].includes(event.key)) return;
    if (this.keyOnBoard(event)) event.preventDefault();
  }

  keyOnBoard(event) {
    const { key } = event;
    if (key === "Escape") return this.zoom(false), this.highlight(null), true;
    if (key.startsWith("Arrow")) return this.walk(key), true;
    if (event.repeat) return key.length === 1 || ["Enter", "Backspace"].includes(key);
    if (key === "Enter") return this.enter(), true;
    if (key === "Backspace") return this.command("Backspace"), true;
    if (key === " ") return event.shiftKey ? this.openNote("skip") : this.command("Space"), true;
    if (/^[1-5]$/.test(key)) return this.label(this.item?.candidates[key - 1]?.code), true;
    if (key === "/") return this.startSearch(""), true;
    if (key === "?") return this.command("H"), true;
    if (/^[fxzh]$/i.test(key)) return this.command(key.toUpperCase()), true;
    if (/^[\p{L}06-9]$/u.test(key)) return this.startSearch(key), true;
    return false;
  }

  command(key) {
    if (key === "Backspace") this.undo();
    else if (key === "Space") this.decide("skip", { comment: "" });
    else if (key === "X") this.openNote("flag");
    else if (key === "F") this.startSearch("");
    else if (key === "Z") this.zoom(this.$(".zoom").hidden);
    else if (key === "H") this.$(".help").showModal();
  }

  keyInSearch(event) {
    if (event.key === "Escape") this.clearSearch();
    else if (event.key === "Enter" && !event.repeat) {
      if (this.at) this.label(this.at);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") this.walk(event.key);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  keyInNote(event) {
    if (event.key === "Escape") this.closeNote();
    else if (event.key === "Enter" && !event.repeat) this.sendNote();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // --- finding a class ----------------------------------------------------------------------

  startSearch(text) {
    const input = this.$(".find input");
    input.value = text;
    input.focus();
    this.search();
  }

  search() {
    const words = plain(this.$(".find input").value).split(/\s+/).filter(Boolean);
    const found = [];
    for (const button of this.$(".classes").children) {
      const c = this.classes.get(button.dataset.code);
      const isHit = words.every((word) => c.words.includes(word));
      button.classList.toggle("out", !isHit);
      if (isHit) found.push([rank(c, words), c.code]);
    }
    found.sort((a, b) => a[0] - b[0]);
    this.$(".hits").textContent = words.length ? `${found.length} found` : "";
    this.highlight(words.length ? (found[0]?.[1] ?? null) : null);
  }

  clearSearch() {
    const input = this.$(".find input");
    if (this.root.activeElement === input) this.board.focus({ preventScroll: true });
    input.value = "";
    this.search();
  }

  highlight(code) {
    this.at = code;
    for (const button of this.$(".classes").children) {
      const isAt = button.dataset.code === code;
      button.classList.toggle("at", isAt);
      button.setAttribute("aria-selected", isAt);
      if (isAt) button.scrollIntoView({ block: "nearest" });
    }
    if (code) this.explain(code);
    if (this.item) this.drawEnter(this.item);
  }

  // Left and right go to the neighbour, up and down by a row, among the classes that are found.
  walk(key) {
    const all = [...this.$(".classes").children].filter((b) => !b.classList.contains("out"));
    if (!all.length) return;
    const index = all.findIndex((b) => b.dataset.code === this.at);
    const isSearching = this.root.activeElement === this.$(".find input");
    const row = isSearching ? 1 : columnsOf(this.$(".classes"));
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -row, ArrowDown: row }[key];
    const next = index < 0 ? 0 : Math.min(all.length - 1, Math.max(0, index + step));
    this.highlight(all[next].dataset.code);
  }

  // --- notes: why skipped, why flagged --------------------------------------------------------

  openNote(kind) {
    if (!this.item || this.pending) return;
    this.noteKind = kind;
    const note = this.$(".note");
    note.hidden = false;
    note.querySelector("label").textContent =
      kind === "flag" ? "What is wrong? (for a lead)" : "Why skip it? (for a colleague)";
    note.querySelector(".send").textContent = kind === "flag" ? "Flag (Enter)" : "Skip (Enter)";
    note.querySelector("input").value = "";
    note.querySelector("input").focus();
  }

  closeNote() {
    const note = this.$(".note");
    if (note.hidden) return;
    note.hidden = true;
    this.board.focus({ preventScroll: true });
  }

  sendNote() {
    const comment = this.$(".note input").value;
    this.decide(this.noteKind, { comment });
    this.closeNote();
  }

  zoom(isWanted) {
    const key = this.item?.photo, box = this.$(".zoom");
    box.hidden = !(isWanted && photos.has(key));
    if (!box.hidden) box.querySelector("img").src = photos.get(key);
  }
}

// crypto.randomUUID is missing where the page comes over plain HTTP from another machine
function freshToken() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((n) => n.toString(16).padStart(2, "0")).join("");
}

function fill(element, text, absent) {
  element.textContent = text || absent;
  element.classList.toggle("absent", !text);
}

// A class whose name or code begins with what was typed comes first.
function rank(c, words) {
  const first = words[0] ?? "";
  if (plain(c.code) === first) return 0;
  if (plain(c.fr).startsWith(first) || plain(c.code).startsWith(first)) return 1;
  return c.words.includes(` ${first}`) ? 2 : 3;
}

function columnsOf(grid) {
  return getComputedStyle(grid).gridTemplateColumns.split(" ").length;
}

function isInteractive(element) {
  return Boolean(element?.closest?.(
    'input, textarea, select, button, a, summary, [contenteditable="true"], [role="option"], [role="listbox"], [role="menu"]',
  ));
}

function remember(key, url) {
  photos.delete(key);
  photos.set(key, url);
  new Image().src = url; // decoded before it is shown
  for (const old of photos.keys()) {
    if (photos.size <= PHOTOS_KEPT) break;
    photos.delete(old);
  }
}

function isDark(element) {
  const [r, g, b] = colourOf(getComputedStyle(element).getPropertyValue("--st-background-color"));
  return 0.3 * r + 0.6 * g + 0.1 * b < 128;
}

function colourOf(text) {
  const hex = text.trim().match(/^#(..)(..)(..)/);
  return hex ? hex.slice(1).map((part) => parseInt(part, 16)) : text.match(/\d+/g).map(Number);
}

// A tab's own storage: two tabs are two people at work. Without storage only a reload loses it.
function keep(decision) {
  try {
    if (decision === undefined) return JSON.parse(sessionStorage.getItem(PENDING));
    if (decision === null) sessionStorage.removeItem(PENDING);
    else sessionStorage.setItem(PENDING, JSON.stringify(decision));
  } catch {
    return null;
  }
}
