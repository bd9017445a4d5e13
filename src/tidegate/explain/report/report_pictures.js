"use strict";

// The heat maps, the curves of one unit and the half-lives; report.js calls what is here.

// ---- heat maps

function buildMaps() {
  const list = $("#maps > div");
  list.style.minWidth = `${2 * steps}px`;
  for (const array of data.arrays) {
    const canvas = make("canvas", { width: steps, height: array.units, role: "img", "aria-label": `${array.name}: ${array.units} units by ${steps} ${data.excerpt.unit}s` });
    canvas.style.height = `${Math.max(64, Math.min(192, 3 * array.units))}px`;
    array.legend = [make("span"), make("span", { className: "bar" }), make("span")];
    const ends = make("small", {}, ` — ${array.help} `, ...array.legend);
    array.map = make("div", { className: "map" }, canvas, make("div", { className: "column" }), make("div", { className: "line" }));
    list.append(make("h3", {}, array.name, ends), array.map);
    const place = (event) => {
      const box = canvas.getBoundingClientRect();
      const line = Math.min(array.units - 1, Math.max(0, Math.floor(((event.clientY - box.top) / box.height) * array.units)));
      return { step: stepAt(event, box), unit: array.order[line], array };
    };
    array.map.addEventListener("pointermove", (event) => go({ step: place(event).step }, false, place(event)));
    array.map.addEventListener("click", (event) => go({ step: place(event).step, ...chosen(place(event)) }));
  }
  list.append(make("div", { className: "axis" }));
  $("#units-note").textContent = data.units_note;
  for (const array of data.arrays) $("#arrays-help").append(make("dt", { text: array.name }), make("dd", { text: array.more }));
}

const chosen = ({ unit, array }) => (ofUnits.includes(array) ? { unit } : {});

const stepAt = (event, box) => Math.min(steps - 1, Math.max(0, Math.floor(((event.clientX - box.left) / box.width) * steps)));

function drawMaps() {
  const order = unitOrder();
  for (const array of data.arrays) {
    array.order = ofUnits.includes(array) ? order : [...Array(array.units).keys()];
    const stops = stopsOf(array), colours = palette(stops), [low, high] = endsOf(array);
    const levels = Array.from({ length: 256 }, (_, byte) => {
      const share = (array.low + array.scale * byte - low) / (high - low);
      return [...colours[Math.round(255 * Math.min(1, Math.max(0, share)))], 255];
    });
    const context = $("canvas", array.map).getContext("2d");
    const image = context.createImageData(steps, array.units);
    array.order.forEach((unit, line) => {
      const from = start(array, now.row, unit);
      for (let step = 0; step < steps; step++) {
        image.data.set(levels[array.bytes[from + step]], 4 * (line * steps + step));
      }
    });
    context.putImageData(image, 0, 0);
    const [least, ramp, most] = array.legend;
    [least.textContent, most.textContent] = [fixed(low), fixed(high)];
    ramp.style.background = `linear-gradient(to right, ${stops.join(", ")})`;
  }
}

function drawAxes() {
  for (const axis of $$(".axis")) {
    const every = Math.max(1, Math.ceil((14 * steps) / axis.clientWidth));
    const marks = data.tokens.map((token, step) => [token, step]).filter(([, step]) => step % every === 0);
    axis.replaceChildren(...marks.map(([token, step]) => {
      const mark = make("span", { text: token });
      mark.style.left = `${(100 * (step + 0.5)) / steps}%`;
      return mark;
    }));
  }
}

// ---- one unit

const HEIGHT = 100;
const panels = [];

function buildPaths() {
  ofUnits.forEach((array, index) => { array.ink = INKS[index % INKS.length]; });
  for (const kind of [false, true]) {
    const arrays = ofUnits.filter((array) => array.signed === kind);
    if (arrays.length) $("#paths").append(...panel(arrays));
  }
  $("#paths").append(make("div", { className: "axis", style: "margin-left: 2.4rem" }));
}

function panel(arrays) {
  const svg = drawn("svg", { viewBox: `0 0 ${steps} ${HEIGHT}`, preserveAspectRatio: "none" });
  const box = make("div", { className: "path" }, svg);
  for (const height of [HEIGHT, HEIGHT / 2, 0]) {
    const tick = make("span", { className: "tick" });
    tick.style.top = `${height}%`;
    box.append(tick);
    svg.append(drawn("line", { x1: 0, x2: steps, y1: height, y2: height }));
  }
  svg.append(drawn("line", { class: "now", y1: 0, y2: HEIGHT }));
  const key = make("div", { className: "key" });
  for (const array of arrays) {
    array.path = drawn("polyline", { stroke: array.ink });
    svg.append(array.path);
    array.number = make("b");
    const line = make("i");
    line.style.borderColor = array.ink;
    key.append(make("span", {}, line, `${array.name} `, array.number));
  }
  panels.push({ arrays, box });
  box.addEventListener("pointermove", (event) => go({ step: stepAt(event, svg.getBoundingClientRect()) }));
  return [key, box];
}

function drawPaths() {
  for (const { arrays, box } of panels) {
    const lines = arrays.map((array) => data.tokens.map((_, step) => value(array, now.row, now.unit, step)));
    const high = arrays[0].signed ? Math.max(0.01, ...lines.flat().map(Math.abs)) : 1;
    const low = arrays[0].signed ? -high : 0;
    $$(".tick", box).forEach((tick, index) => { tick.textContent = fixed(low + (index / 2) * (high - low)); });
    arrays.forEach((array, index) => {
      const heights = lines[index].map((number) => (HEIGHT * (1 - (number - low) / (high - low))).toFixed(2));
      // One token alone would be a line without length.
      const points = steps === 1 ? [`0,${heights[0]}`, `1,${heights[0]}`] : heights.map((height, step) => `${step + 0.5},${height}`);
      array.path.setAttribute("points", points.join(" "));
    });
  }
}

// ---- memory

function drawLives() {
  if (!data.memory) return;
  const all = data.memory.half_life.flat().filter((life) => life !== null && life > 0);
  const most = Math.max(10 * steps, 10), least = Math.min(0.1, ...all);
  const width = Math.max(300, $("#lives").clientWidth), left = 128, lane = 46;
  const span = Math.log(most / least);
  const across = (life) => left + (width - left - 14) * Math.min(1, Math.max(0, Math.log(life / least) / span));
  const height = lane * data.rows.length;
  const svg = drawn("svg", { width, height: height + 36, role: "img", "aria-label": "Half-life of each unit, by layer" });
  for (let tick = 10 ** Math.ceil(Math.log10(least)); tick <= most; tick *= 10) {
    svg.append(drawn("line", { x1: across(tick), x2: across(tick), y1: 0, y2: height }));
    svg.append(drawn("text", { x: across(tick), y: height + 14, "text-anchor": "middle" }, short(tick)));
  }
  svg.append(drawn("line", { class: "length", x1: across(steps), x2: across(steps), y1: 0, y2: height }));
  svg.append(drawn("text", { x: 0, y: height + 31 }, `half-life in ${data.excerpt.unit}s; dashed: the length of this ${data.excerpt.whole}, ${steps}`));
  data.memory.half_life.forEach((lives, row) => {
    svg.append(drawn("text", { x: 0, y: lane * (row + 0.5) + 4 }, data.rows[row]));
    lives.forEach((life, unit) => {
      const y = lane * (row + 0.2 + (0.6 * ((unit * 7) % 10)) / 9); // spread, so that few overlap
      const dot = drawn("circle", { cx: across(life ?? Infinity), cy: y, r: 4.5, "data-row": row, "data-unit": unit });
      dot.append(drawn("title", {}, `unit ${data.units[unit]}: ${lifeText(life)}`));
      dot.addEventListener("click", () => go({ row, unit }));
      svg.append(dot);
    });
  });
  $("#lives").replaceChildren(svg);
  markLife();
}

const lifeText = (life) => (life === null ? "never forgets" : `half of what it holds is gone after ${short(life)} ${data.excerpt.unit}s`);

function drawFacts() {
  if (!data.memory) return;
  const { columns, lines } = data.memory;
  $("#facts").replaceChildren(
    make("tr", {}, ...columns.map((text) => make("th", { text }))),
    ...lines.map((line) => make("tr", {}, ...line.map((text) => make("td", { text })))),
  );
}

function markLife() {
  for (const dot of $$("#lives circle")) {
    dot.classList.toggle("here", Number(dot.dataset.row) === now.row && Number(dot.dataset.unit) === now.unit);
  }
}
