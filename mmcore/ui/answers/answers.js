// The views' answers side by side. Contract of `data`: mmcore/ui/answers/__init__.py.

export default function ({ data, parentElement }) {
  parentElement.querySelector(".answers").replaceChildren(...data.views.map((view) => card(view, data.why)));
}

function make(tag, name, ...inside) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...inside);
  return element;
}

// never "100%" of what isn't certain, nor "0%" of what isn't impossible
function percent(p) {
  const rounded = Math.round(p * 100);
  if (p < 1 && rounded === 100) return ">99%";
  return p > 0 && rounded === 0 ? "<1%" : `${rounded}%`;
}

function card(view, why) {
  const box = make("section", `view ${view.view}`);
  box.append(make("div", "head", make("span", "", view.title), make("span", "", view.note)));
  if (!view.best) {
    box.append(make("div", "absent", `No answer: ${view.absent}`));
    return box;
  }
  const best = make("div", "best", `${view.best.code}  ${view.best.fr}`);
  best.append(make("small", "", `${view.best.en === view.best.fr ? "" : `${view.best.en} · `}${percent(view.best.p)}`));
  const scale = make("div", "scale", ...["0%", "50%", "100%"].map((mark) => make("span", "", mark)));
  box.append(best, make("div", "bars", ...view.bars.map((bar) => row(bar, view.best))), scale);
  const reasons = why ? reason(view.view, why) : null;
  if (reasons) box.append(reasons);
  return box;
}

function row(bar, best) {
  const filled = make("i");
  filled.style.width = `${100 * bar.p}%`;
  const line = make("div", `bar${bar.code === best.code ? " first" : ""}`);
  line.title = `${bar.code}  ${bar.fr}  (${bar.en})  ${percent(bar.p)}`;
  line.append(make("span", "name", bar.fr), make("span", "sure", percent(bar.p)), make("span", "track", filled));
  return line;
}

function reason(view, why) {
  if (view === "text" && why.words.length) {
    return make("div", "why", make("span", "what", `Words for and against ${why.name}`), words(why.words));
  }
  if (view === "image" && why.regions && why.photo) {
    return make("div", "why", make("span", "what", `Parts of the photo that speak for ${why.name}`), photo(why));
  }
  if (view === "fused" && why.ablation.length) {
    const rows = make("div", "rows");
    for (const { without, p } of why.ablation) {
      rows.append(make("span", "", `without ${without}`), make("b", "", p === null ? "nothing left" : percent(p)));
    }
    return make("div", "why", make("span", "what", `Probability of ${why.name}`), rows);
  }
  return null;
}

// Blue speaks for the class, orange against it; the stronger, the fuller.
function words(found) {
  const most = Math.max(...found.map((word) => Math.abs(word.weight)), 1e-6);
  const line = make("div", "words");
  for (const { text, weight } of found) {
    const part = make("mark", "", text);
    const share = Math.round((70 * Math.abs(weight)) / most);
    const colour = weight >= 0 ? "#0072B2" : "#D55E00";
    part.style.background = `color-mix(in srgb, ${colour} ${share}%, transparent)`;
    part.title = `${weight >= 0 ? "for" : "against"} (${weight.toFixed(2)} in log-probability)`;
    line.append(part, " ");
  }
  return line;
}

// Regions that speak for the class stay bright, the rest is dimmed.
function photo({ photo, regions, name }) {
  const most = Math.max(...regions.flat(), 1e-9);
  const image = make("img");
  image.src = photo;
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
