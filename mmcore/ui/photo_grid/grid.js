// Cards with photos. Contract of `data`: mmcore/ui/photo_grid/__init__.py.

const grids = new WeakMap();

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  let grid = grids.get(parentElement);
  if (!grid) grids.set(parentElement, (grid = new Grid(parentElement.querySelector(".grid"))));
  grid.setState = setStateValue;
  grid.trigger = setTriggerValue;
  grid.show(data);
  return () => grids.delete(parentElement);
}

function make(tag, name, ...inside) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...inside);
  return element;
}

class Grid {
  constructor(root) {
    this.root = root;
    this.at = 0;
    this.chosen = new Set();
    root.addEventListener("keydown", (event) => this.key(event));
  }

  show(data) {
    const { cards, is_selectable, selected, round } = data;
    this.cards = cards;
    this.isSelectable = is_selectable;
    // Python chooses when it says so with a new round; in between the browser knows better
    if (round !== this.round) this.chosen = new Set(selected);
    this.round = round;
    this.at = Math.min(this.at, Math.max(0, cards.length - 1));
    this.root.replaceChildren(...cards.map((card, index) => this.card(card, index)));
    this.mark();
  }

  card(card, index) {
    const picture = make("div", `picture${card.photo ? "" : " none"}`);
    if (card.photo) {
      const image = make("img");
      image.src = card.photo;
      image.alt = "";
      image.loading = "lazy";
      picture.append(image);
    } else picture.append(make("span", "quiet", "no photo"));
    const words = make("div", "words", make("div", "title", card.title || "no title"));
    for (const line of card.lines) {
      const row = make("div", "line quiet");
      if (line.view) row.append(make("span", `dot ${line.view}`));
      row.append(line.text);
      row.title = line.text;
      words.append(row);
    }
    const box = make("div", "card", picture, words);
    box.setAttribute("role", "option");
    box.title = card.title;
    box.dataset.id = card.id;
    if (card.badge) box.append(make("span", `badge ${card.tone}`, card.badge));
    if (this.isSelectable) {
      box.append(make("span", "tick", "✓"));
      const open = make("button", "open", "open");
      open.tabIndex = -1;
      open.onclick = (event) => (event.stopPropagation(), this.open(index));
      words.append(open);
    }
    box.onclick = (event) => this.click(index, event.shiftKey);
    return box;
  }

  click(index, isRange) {
    if (!this.isSelectable) return this.open(index);
    if (isRange) this.range(this.at, index);
    else this.toggle(index);
    this.at = index;
    this.send();
  }

  toggle(index) {
    const { id } = this.cards[index];
    if (!this.chosen.delete(id)) this.chosen.add(id);
  }

  range(from, to) {
    const [low, high] = from < to ? [from, to] : [to, from];
    for (let i = low; i <= high; i += 1) this.chosen.add(this.cards[i].id);
  }

  open(index) {
    this.count = (this.count ?? 0) + 1;
    this.trigger("open", { id: this.cards[index].id, count: this.count });
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.cards.length) return;
    const columns = getComputedStyle(this.root).gridTemplateColumns.split(" ").length;
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
    if (step) this.at = Math.min(this.cards.length - 1, Math.max(0, this.at + step));
    else if (event.key === "Enter") this.open(this.at);
    else if (event.key === " " && this.isSelectable) this.toggle(this.at), this.send();
    else if (event.key.toLowerCase() === "a" && this.isSelectable) this.all();
    else return;
    event.preventDefault();
    this.mark();
    this.root.children[this.at].scrollIntoView({ block: "nearest" });
  }

  all() {
    const isAll = this.cards.every((card) => this.chosen.has(card.id));
    for (const { id } of this.cards) isAll ? this.chosen.delete(id) : this.chosen.add(id);
    this.send();
  }

  send() {
    this.mark();
    this.setState("selected", this.cards.map((card) => card.id).filter((id) => this.chosen.has(id)));
  }

  mark() {
    [...this.root.children].forEach((box, index) => {
      const isOn = this.chosen.has(this.cards[index].id);
      box.classList.toggle("on", isOn);
      box.classList.toggle("at", index === this.at);
      box.setAttribute("aria-selected", isOn);
    });
  }
}
