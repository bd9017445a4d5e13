const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

addEventListener("error", (event) => {
  const note = $("#failure");
  note.textContent = `This page could not draw all it holds: ${event.message}`;
  note.hidden = false;
});

const data = JSON.parse($("#data").textContent);
const steps = data.tokens.length;
const now = { step: 0, unit: 0, row: data.top_row, method: 0, order: "movement", scale: "found" };
// Okabe and Ito's colours; black and yellow, which vanish on one of the two grounds, left out.
const INKS = ["#e69f00", "#0072b2", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"];

function make(tag, options = {}, ...children) {
  const { className, text, ...rest } = options;
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  for (const [name, value] of Object.entries(rest)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function drawn(tag, attributes, text = "") {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.textContent = text;
  return element;
}

const signed = (value) => (value < 0 ? "−" : value > 0 ? "+" : "") + short(Math.abs(value));
const short = (value) => Number(value.toPrecision(3)).toLocaleString("en", { maximumSignificantDigits: 3 });
const fixed = (value) => value.toFixed(2).replace("-", "−");
const percent = (share) => `${(100 * share).toFixed(1)} %`;
const quoted = (step) => `‘${data.tokens[step]}’`;

// ---- the numbers of the gates: one byte each, [row][unit][step]

for (const array of data.arrays) {
  array.bytes = Uint8Array.from(atob(array.bytes), (letter) => letter.charCodeAt(0));
  array.scale = (array.high - array.low) / 255;
}

const start = (array, row, unit) => (row * array.units + unit) * steps;
const value = (array, row, unit, step) =>
  array.low + array.scale * array.bytes[start(array, row, unit) + step];

// A projected output has features of its own: there is no unit of that number to follow.
const ofUnits = data.arrays.filter((array) => array.units === data.units.length);

function movement(row, unit) {
  const array = ofUnits[ofUnits.length - 1];
  const from = start(array, row, unit);
  let total = 0;
  for (let step = 1; step < steps; step++) {
    total += Math.abs(array.bytes[from + step] - array.bytes[from + step - 1]);
  }
  return total;
}

function unitOrder() {
  const units = [...data.units.keys()];
  const keys = {
    movement: (unit) => -movement(now.row, unit),
    memory: (unit) => -(data.memory.half_life[now.row][unit] ?? Infinity),
  };
  const key = keys[now.order];
  if (key === undefined) return units;
  const found = units.map(key);
  return units.sort((a, b) => found[a] - found[b] || a - b);
}

// ---- colours

const GATE = ["#00224e", "#35456c", "#666970", "#948e77", "#c8b866", "#fee838"]; // cividis
const STATE = { light: ["#b35806", "#f0a355", "#f7f7f7", "#7fa8dc", "#2a5a9f"],
                dark: ["#f7a04b", "#b8641a", "#1b1c1f", "#2f6cbb", "#79b4f2"] };

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function palette(stops) {
  const ends = stops.map((hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)));
  return Array.from({ length: 256 }, (_, index) => {
    const place = (index / 255) * (ends.length - 1);
    const low = Math.min(Math.floor(place), ends.length - 2);
    return [0, 1, 2].map((c) => ends[low][c] + (place - low) * (ends[low + 1][c] - ends[low][c]));
  });
}

const stopsOf = (array) => (array.signed ? STATE[isDark() ? "dark" : "light"] : GATE);

// What the first and the last colour stand for.
function endsOf(array) {
  if (now.scale === "full") return array.signed ? [array.low, array.high] : [0, 1];
  const from = start(array, now.row, 0);
  let least = 255, most = 0;
  for (const byte of array.bytes.subarray(from, from + array.units * steps)) {
    least = Math.min(least, byte);
    most = Math.max(most, byte);
  }
  const low = array.low + array.scale * least, high = array.low + array.scale * Math.max(most, least + 1);
  const far = Math.max(-low, high);
  return array.signed ? [-far, far] : [low, high];
}

// ---- the answer

const MOST_CLASSES = 10;

function drawAnswer() {
  $("#model").textContent = data.model;
  $("#version").textContent = data.version;
  $("#prediction").textContent = data.prediction;
  for (const target of $$(".target")) target.textContent = data.target;
  const all = Object.entries(data.probabilities);
  const most = all.length > MOST_CLASSES ? [...all].sort((a, b) => b[1] - a[1]).slice(0, MOST_CLASSES) : all;
  for (const [name, share] of most) {
    const bar = make("i");
    bar.style.width = `${100 * share}%`;
    const className = name === data.prediction ? "chosen" : "";
    const track = make("span", {}, bar);
    $("#classes").append(make("li", { className }, make("span", { text: name }), track, make("span", { text: percent(share) })));
  }
  if (most.length < all.length) $("#classes").append(make("li", { text: `and ${all.length - most.length} others` }));
  if (data.excerpt.unit !== "token") $("#unknown").remove();
  for (const note of data.excerpt.notes) $("#notes").append(make("li", { text: note }));
}

// ---- the text

function gap(step) {
  const token = data.tokens[step], before = data.tokens[step - 1] ?? "";
  const glued = step === 0 || step === data.excerpt.skipped_after * (data.excerpt.skipped > 0) || /^[.,!?;:)\]}%…]+$/.test(token) || /^[([{]$/.test(before);
  return glued ? "" : data.excerpt.separator;
}

function writeText() {
  const text = $("#text");
  const { skipped, skipped_after: cut } = data.excerpt;
  const unknown = new Set(data.excerpt.unknown);
  text.classList.toggle("dense", !data.excerpt.separator);
  const mark = make("em", { text: `${skipped.toLocaleString("en")} ${data.excerpt.unit}s it did not read` });
  data.tokens.forEach((token, step) => {
    if (skipped && cut === step) text.append(" ", mark, " ");
    const className = unknown.has(step) ? "unknown" : "";
    text.append(gap(step), make("b", { className, text: token, "data-step": step }));
  });
  if (skipped && cut === steps) text.append(" ", mark);
}

function tint(element, score, largest) {
  element.style.setProperty("--tint", score < 0 ? "var(--against)" : "var(--toward)");
  element.style.setProperty("--share", largest ? Math.abs(score) / largest : 0);
}

function colourText() {
  const { scores, help, sum } = data.attributions[now.method];
  const largest = Math.max(...scores.map(Math.abs));
  for (const token of $$("#text b")) tint(token, scores[token.dataset.step], largest);
  $(".legend .low").textContent = signed(-largest);
  $(".legend .high").textContent = signed(largest);
  $("#method-help").textContent = help;
  $("#sum").textContent = sum;
  drawStrongest(scores, largest);
}

function drawStrongest(scores, largest) {
  const order = data.tokens.map((_, step) => step).sort((a, b) => scores[b] - scores[a]);
  const sides = { [`Most towards ${data.target}`]: order.filter((step) => scores[step] > 0).slice(0, 6),
                  [`Most against ${data.target}`]: order.reverse().filter((step) => scores[step] < 0).slice(0, 6) };
  $("#strongest").replaceChildren(...Object.entries(sides).filter(([, found]) => found.length).map(([title, found]) => {
    const lines = found.map((step) => {
      const bar = make("i");
      bar.style.width = `${(100 * Math.abs(scores[step])) / largest}%`;
      tint(bar, scores[step], largest);
      const line = make("button", { type: "button" }, make("span", { text: data.tokens[step] }), make("span", {}, bar), make("span", { text: signed(scores[step]) }));
      line.addEventListener("click", () => go({ step }, true));
      return line;
    });
    return make("div", {}, make("h3", { text: title }), ...lines);
  }));
}

// ---- moving about

function go(change, reveal = false, under = null) {
  const before = { ...now };
  Object.assign(now, change);
  if (["row", "order", "scale"].some((name) => now[name] !== before[name])) drawMaps();
  if (now.row !== before.row || now.unit !== before.unit) {
    drawPaths();
    markLife();
    for (const select of $$("select.row")) select.value = now.row;
    $("#unit").value = now.unit;
  }
  point(under);
  if (reveal) show();
}

function show() {
  $("#text .here").scrollIntoView({ block: "nearest" });
  const maps = $("#maps");
  maps.scrollLeft = (maps.scrollWidth * now.step) / steps - maps.clientWidth / 2;
}

function point(under) {
  const { step, row } = now;
  $("#text .here")?.classList.remove("here");
  $$("#text b")[step].classList.add("here");
  for (const array of data.arrays) {
    const column = $(".column", array.map), line = $(".line", array.map);
    column.style.left = `${(100 * step) / steps}%`;
    column.style.width = `${100 / steps}%`;
    const shown = ofUnits.includes(array) ? array.order.indexOf(now.unit) : -1;
    line.hidden = shown < 0;
    line.style.top = `${(100 * shown) / array.units}%`;
    line.style.height = `${100 / array.units}%`;
    if (array.number) array.number.textContent = fixed(value(array, row, now.unit, step));
  }
  for (const line of $$("line.now")) ["x1", "x2"].forEach((end) => line.setAttribute(end, step + 0.5));
  tell(under);
}

function tell(under) {
  const { step, row, unit } = now;
  const where = `${data.excerpt.unit} ${step + 1} of ${steps}, `;
  const score = data.attributions[now.method].scores[step];
  const [text, maps, one] = $$(".readout");
  text.replaceChildren(where, make("strong", { text: `${quoted(step)} ${signed(score)}` }));
  const over = under ?? { unit, array: ofUnits[0] };
  const isUnit = ofUnits.includes(over.array);
  const name = isUnit ? `unit ${data.units[over.unit]}` : `feature ${over.unit}`;
  const values = (isUnit ? ofUnits : [over.array]).map((array) => `${array.name} ${fixed(value(array, row, over.unit, step))}`);
  maps.replaceChildren(where, make("strong", { text: quoted(step) }), ` · ${name} · `, make("strong", { text: values.join(" · ") }));
  const life = data.memory ? ` · ${lifeText(data.memory.half_life[row][unit])}` : "";
  one.replaceChildren(where, make("strong", { text: quoted(step) }), life);
}

function fill(select, names, current) {
  select.replaceChildren(...names.map((text, value) => make("option", { text, value })));
  select.value = current;
}

function listen() {
  const text = $("#text");
  text.addEventListener("pointerover", ({ target }) => target.dataset.step && go({ step: Number(target.dataset.step) }));
  text.addEventListener("keydown", (event) => {
    const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!way) return;
    event.preventDefault();
    go({ step: Math.min(steps - 1, Math.max(0, now.step + way)) }, true);
  });
  for (const select of $$("select.row")) {
    fill(select, data.rows, now.row);
    select.addEventListener("change", () => go({ row: Number(select.value) }));
  }
  fill($("#unit"), data.units, now.unit);
  $("#unit").addEventListener("change", (event) => go({ unit: Number(event.target.value) }));
  const method = $("#methods select");
  fill(method, data.attributions.map((found) => found.method), now.method);
  $("#methods").hidden = data.attributions.length < 2;
  method.addEventListener("change", () => { now.method = Number(method.value); colourText(); point(null); });
  if (!data.memory) $("#order [value=memory]").remove();
  if (ofUnits.every((array) => array.signed)) $("#scale").parentElement.remove();
  for (const name of ["order", "scale"]) $(`#${name}`)?.addEventListener("change", (event) => go({ [name]: event.target.value }));
  $("#theme").addEventListener("click", () => { document.documentElement.dataset.theme = isDark() ? "light" : "dark"; repaint(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  addEventListener("resize", () => { drawAxes(); drawLives(); });
}

function repaint() {
  $("#theme span").textContent = isDark() ? "Light" : "Dark";
  drawMaps();
}

function begin() {
  const size = (step) => Math.abs(data.attributions[0].scores[step]);
  for (let step = 1; step < steps; step++) if (size(step) > size(now.step)) now.step = step;
  now.unit = unitOrder()[0];
  if (!data.memory) $("#memory").remove();
}

begin();
drawAnswer();
writeText();
buildMaps();
buildPaths();
listen();
repaint();
colourText();
drawPaths();
drawLives();
drawFacts();
drawAxes();
point(null);
