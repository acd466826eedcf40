// The views' answers side by side. Contract of `data`: mmcore/ui/answers/__init__.py.

export default function ({ data, parentElement }) {
  const board = parentElement.querySelector(".board");
  board.classList.toggle("dark", isDark(board));
  const part = (name) => board.querySelector(name);
  part(".told").replaceChildren(...told(data));
  part(".answers").replaceChildren(...data.views.map((view) => card(view, data)));
  part(".legend").replaceChildren(...legend(data));
}

function make(tag, name, ...inside) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...inside);
  return element;
}

// never "100%" of what isn't certain, nor "0%" of what isn't impossible
function percent(p) {
  if (p === null) return "–";
  const rounded = Math.round(p * 100);
  if (p < 1 && rounded === 100) return ">99%";
  return p > 0 && rounded === 0 ? "<1%" : `${rounded}%`;
}

function told({ mark, told, model }) {
  const word = { yes: "✓ agree", no: "≠ differ", none: "– one view" }[mark];
  return [make("span", `mark ${mark}`, word), make("span", "", told), make("span", "model", `model ${model}`)];
}

function legend({ other, words, num_known: known }) {
  const parts = [];
  if (other) parts.push(make("span", "", make("i"), other));
  if (words.length) {
    const dotted = known < words.length ? "; it may know parts of the dotted ones" : "";
    parts.push(
      make("span", "", make("span", "for", "speaks for it"), make("span", "against", "speaks against it")),
      make("span", "", `${known} of ${words.length} words are in the model's vocabulary${dotted}`),
    );
  }
  return parts;
}

function card(view, data) {
  const box = make("section", `view ${view.view}`);
  box.append(make("div", "head", make("span", "", view.title), make("span", "", view.note)));
  if (!view.best) {
    box.append(make("div", "absent", `No answer: ${view.absent}`));
    const { other_best: other } = view;
    if (other) box.lastChild.append(make("div", "", `${data.other}: ${named(other)} ${percent(other.p)}`));
    return box;
  }
  const best = make("div", "best", named(view.best));
  best.append(make("small", "", `${view.best.en === view.best.fr ? "" : `${view.best.en} · `}${percent(view.best.p)}`));
  if (view.other_best && view.other_best.code !== view.best.code) {
    best.append(make("small", "was", `${data.other}: ${named(view.other_best)} ${percent(view.other_best.p)}`));
  }
  const scale = make("div", "scale", ...["0%", "50%", "100%"].map((mark) => make("span", "", mark)));
  box.append(best, make("div", "bars", ...view.bars.map((bar) => row(bar, view, data))), scale);
  box.append(make("div", "reasons", ...reasons(view, data)));
  return box;
}

function named({ code, fr }) {
  return code === fr ? code : `${code} ${fr}`;
}

function row(bar, view, data) {
  const line = make("div", `bar${bar.code === view.best.code ? " first" : ""}`);
  const beside = Boolean(data.other && view.other_best);
  line.title = `${bar.code}  ${bar.fr}  (${bar.en})  ${percent(bar.p)}${beside ? `; ${data.other}: ${percent(bar.other)}` : ""}`;
  const sure = beside ? `${percent(bar.p)} | ${percent(bar.other)}` : percent(bar.p);
  line.append(make("span", "name", bar.fr), make("span", "sure", sure), track(bar.p, ""));
  if (beside) line.append(track(bar.other, " other"));
  return line;
}

function track(p, kind) {
  const filled = make("i");
  filled.style.width = `${100 * (p ?? 0)}%`;
  return make("span", `track${kind}`, filled);
}

function reasons(view, data) {
  const { why } = view;
  const found = [];
  if (!why) {
    if (view.view === "text") found.push(reason("The text as the model reads it", words(data.words, {})));
    if (data.is_pending) found.push(reason("Working out why…"));
    return found;
  }
  const texts = Object.keys(why.weights).length;
  if (texts) found.push(reason(`Words for and against ${why.name}`, words(data.words, why.weights)));
  if (why.regions.length && data.photo) found.push(reason(`Parts of the photo for ${why.name}`, photo(why, data.photo)));
  const left = why.ablation.filter(({ p }) => p !== null);
  if (view.view === "fused" && left.length) {
    const rows = left.map(({ without, p }) => [make("span", "", `without ${without}`), make("b", "", percent(p))]);
    found.push(reason(`Probability of ${why.name}`, make("div", "rows", ...rows.flat())));
  }
  return found;
}

function reason(what, ...inside) {
  return make("div", "why", make("span", "what", what), ...inside);
}

// The stronger a word speaks, the fuller its colour.
function words(found, weights) {
  const most = Math.max(...Object.values(weights).map(Math.abs), 1e-6);
  const line = make("div", "words");
  for (const { text, is_known: isKnown } of found) {
    const part = make("mark", isKnown ? "" : "unknown", text);
    const weight = Object.hasOwn(weights, text) ? weights[text] : null;
    if (weight !== null) {
      const share = Math.round((70 * Math.abs(weight)) / most);
      part.style.background = `color-mix(in srgb, var(--${weight >= 0 ? "for" : "against"}) ${share}%, transparent)`;
      part.title = `${weight >= 0 ? "for" : "against"} (${weight.toFixed(2)} in log-probability)`;
    }
    if (!isKnown) part.title = `${part.title} not in the vocabulary`.trim();
    line.append(part, " ");
  }
  return line;
}

// Regions that speak for the class stay bright, the rest is dimmed.
function photo({ regions, name }, source) {
  const most = Math.max(...regions.flat(), 1e-9);
  const image = make("img");
  image.src = source;
  image.alt = `the photo, with the parts marked that speak for ${name}`;
  const heat = make("div", "heat");
  for (const weight of regions.flat()) {
    const cell = make("span");
    const share = Math.max(0, weight) / most;
    cell.style.background = `rgb(${share > 0.5 ? "230 159 0" : "0 0 0"} / ${share > 0.5 ? (share - 0.5) * 0.9 : (0.5 - share) * 0.9})`;
    heat.append(cell);
  }
  return make("div", "photo", image, heat);
}

function isDark(element) {
  const text = getComputedStyle(element).getPropertyValue("--st-background-color").trim();
  const hex = text.match(/^#(..)(..)(..)/);
  const [r, g, b] = hex ? hex.slice(1).map((part) => parseInt(part, 16)) : (text.match(/\d+/g) ?? [255, 255, 255]).map(Number);
  return 0.3 * r + 0.6 * g + 0.1 * b < 128;
}
