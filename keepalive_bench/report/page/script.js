"use strict";
// Draws the charts of the page from the data in it. All words are set as text, never as markup.

const { labels, charts } = JSON.parse(document.getElementById("data").textContent);

const MILLI = 1e3, SECOND = 1e6; // the data are in microseconds
const NARROW = 500;
const MANY = 6; // arms in one tip

const colour = (arm) => `var(--arm-${arm % 8})`;
const number = (value) => value.toLocaleString("en");
const digits = (value) => (value < 999.5 ? value.toPrecision(3) : value.toFixed());
const duration = (micro) =>
  micro < 0.9995 * SECOND ? `${digits(micro / MILLI)} ms` : `${digits(micro / SECOND)} s`;
const scale = (logarithmic) => ({
  type: logarithmic ? "log" : "linear", tickFormat: number, ticks: 5,
});

/** A plot, as wide as its place. What its style element says, the page's own style says. */
function draw(place, options) {
  const svg = Plot.plot({
    width: Math.max(place.clientWidth, 240),
    marginLeft: place.clientWidth < NARROW ? 44 : 56,
    marginRight: 20, // half of the last tick's label is right of its place
    marginBottom: 40,
    style: { fontSize: "12px" },
    ...options,
  });
  svg.querySelector("style").remove();
  return svg;
}

/** The label of each arm at the top of its strip, and what is shown there. */
const armLabels = (what = "") =>
  Plot.text(labels, {
    fy: (label) => label,
    text: (label) => label + what,
    frameAnchor: "top-left",
    dx: -4,
    dy: -16,
    fontWeight: 600,
  });

const tip = (marks, pointer, channels) => {
  const lineWidth = window.innerWidth < NARROW ? 16 : 26;
  return Plot.tip(marks, pointer({ ...channels, title: "words", lineWidth, maxRadius: 60 }));
};

/** Values from their steps. */
function summed(steps) {
  let sum = 0;
  return steps.map((step) => (sum += step));
}

const drawings = {
  spread(place, { edges, counts, answers, logarithmic }) {
    const span = (bin) => ({ bin, low: edges[bin] / MILLI, high: edges[bin + 1] / MILLI });
    const bars = counts.flatMap((ofArm, arm) =>
      ofArm.map((count, bin) => ({
        arm,
        count,
        ...span(bin),
        share: (100 * count) / answers[arm],
      }))).filter((bar) => bar.count);
    const bins = edges.slice(1).map((_, bin) => ({
      ...span(bin),
      share: Math.max(0, ...bars.filter((bar) => bar.bin === bin).map((bar) => bar.share)),
      words: [
        `${duration(edges[bin])} to ${duration(edges[bin + 1])}`,
        ...some(labels.map((label, arm) => [label, counts[arm][bin], answers[arm]])),
      ].join("\n"),
    }));
    const where = { x1: "low", x2: "high", y: "share" };
    const ofArm = (_, arm) =>
      Plot.rectY(bars.filter((bar) => bar.arm === arm), {
        ...where, fill: colour(arm), fillOpacity: 0.45, stroke: colour(arm), inset: 0,
      });
    place.replaceChildren(draw(place, {
      height: 260,
      x: { ...scale(logarithmic), label: "latency, ms →" },
      y: { label: "↑ % of the arm's answers", grid: true },
      marks: [...labels.map(ofArm), Plot.ruleY([0]), tip(bins, Plot.pointerX, where)],
    }));
  },

  curve(place, { option, points }) {
    const values = points.map((point) => point.value);
    const x = { type: "point", domain: values, label: `${option} →` };
    const ofPoint = (point) => ({
      ...point,
      latency: point.p50 / MILLI,
      low: point.bounds[0] / MILLI,
      high: point.bounds[1] / MILLI,
    });
    const panel = (label, what, fill, marks) => {
      const where = { x: "value", y: what };
      return draw(place, {
        height: 180,
        x,
        y: { label, grid: true, zero: true, nice: true },
        marks: [
          Plot.ruleY([0]),
          ...marks.bounded.map((some) =>
            Plot.ruleX(some, { x: "value", y1: "low", y2: "high", stroke: fill })),
          Plot.dot(marks.shown, { ...where, r: 4, fill }),
          tip(marks.shown, Plot.pointerX, where),
        ],
      });
    };
    const all = points.map(ofPoint), answered = all.filter((point) => point.p50 !== null);
    const bounded = answered.filter((point) => point.bounds.length);
    place.replaceChildren(
      panel("↑ connections", "connections", colour(0), { shown: all, bounded: [] }),
      panel("↑ median latency, ms", "latency", colour(1), { shown: answered, bounded: [bounded] }),
    );
  },

  timeline(place, { arms, fates, logarithmic }) {
    const marks = arms.flatMap((columns, arm) => requests(columns, arm, fates));
    const where = { x: "at", y: "latency", fy: "label" };
    const shown = (kind, look) =>
      labels.map((_, arm) => Plot.dot(
        marks.filter((mark) => mark.arm === arm && mark.kind === kind),
        { ...where, ...look(colour(arm)) },
      ));
    const radius = marks.length > 400 ? 1.8 : 2.6;
    place.replaceChildren(draw(place, {
      height: 60 + 150 * labels.length,
      marginTop: 26,
      x: { label: "seconds from the start →" },
      y: { ...scale(logarithmic), label: null, grid: true },
      fy: { domain: labels, axis: null, padding: 0.22 },
      marks: [
        armLabels(", latency in ms"),
        ...shown("reused", (fill) => ({ r: radius, fill, fillOpacity: 0.6 })),
        ...shown("opened", (fill) => ({
          r: 3, symbol: "triangle", fill, fillOpacity: 0.5, stroke: fill, strokeWidth: 0.7,
        })),
        ...shown("failed", () => ({ r: 3, symbol: "times", stroke: "var(--bad)" })),
        tip(marks, Plot.pointer, where),
      ],
    }));
  },

  stack(place, { names, colours, shares, details }) {
    const parts = labels.flatMap((label, arm) => {
      const ends = summed(shares.map((ofPhase) => ofPhase[arm]));
      return names.map((name, phase) => ({
        label,
        phase,
        from: (ends[phase - 1] ?? 0) / MILLI,
        to: ends[phase] / MILLI,
        words: `${label}: ${name} ${duration(shares[phase][arm])} a request\n`
          + details[phase][arm],
      }));
    });
    const ofPhase = (_, phase) =>
      Plot.barX(parts.filter((part) => part.phase === phase), {
        x1: "from", x2: "to", fy: "label", fill: `var(--phase-${colours[phase]})`,
      });
    place.replaceChildren(draw(place, {
      height: 50 + 56 * labels.length,
      marginTop: 22,
      marginLeft: 12, // half of the first tick's label is left of its place
      x: { label: "ms a request →", grid: true },
      fy: { domain: labels, axis: null, padding: 0.45 },
      marks: [
        armLabels(),
        ...names.map(ofPhase),
        Plot.ruleX([0]),
        tip(inside(parts), Plot.pointerX, { x: "at", fy: "label" }),
      ],
    }));
  },

  pool(place, { arms, words }) {
    place.replaceChildren();
    arms.forEach(({ lanes, shown }, arm) => {
      if (!lanes.length) return;
      const name = document.createElement("div"); // all of it is one image: no heading is in it
      name.className = "name";
      name.textContent = labels[arm];
      place.append(name, draw(place, life(lanes, words, shown, colour(arm))));
    });
  },
};

/** How many answers of each arm are in a bin, in words; of many arms, of those that have any. */
function some(counted) {
  const told = counted.length > MANY ? counted.filter(([, count]) => count) : counted;
  const lines = told.slice(0, MANY).map(([label, count, all]) =>
    `${label}: ${number(count)} of ${number(all)}`);
  return told.length > MANY ? [...lines, `and ${number(told.length - MANY)} more`] : lines;
}

/** The marks of one arm's requests. */
function requests(columns, arm, fates) {
  const began = summed(columns.began), index = summed(columns.index);
  return began.map((at, place) => {
    const fate = fates[columns.fate[place]], more = columns.requests[place] - 1;
    const latency = columns.latency[place], connection = columns.connection[place];
    const kind = fate === "" ? "reused" : fate.startsWith("failed: ") ? "failed" : "opened";
    const words = [
      `${labels[arm]} #${index[place]}: ${duration(latency)}, at ${duration(at)}`,
      connection < 0 ? "no connection" : `connection ${connection}`,
      fate,
      more ? `with ${number(more)} more at this place` : "",
    ];
    if (kind === "opened") words[1] += ", newly opened";
    return {
      arm,
      kind,
      label: labels[arm],
      at: at / SECOND,
      latency: Math.max(latency, 1) / MILLI,
      words: words.filter(Boolean).join("\n"),
    };
  });
}

/** Points all over each part: a pointer finds the nearest point, not the part that it is in. */
function inside(parts) {
  const step = Math.max(...parts.map((part) => part.to)) / 200;
  return parts.flatMap(({ label, from, to, words }) => {
    const length = Math.ceil((to - from) / step);
    const at = (place) => from + ((place + 0.5) / length) * (to - from);
    return Array.from({ length }, (_, place) => ({ label, words, at: at(place) }));
  });
}

/** The lanes of one arm. */
function life(lanes, words, shown, fill) {
  const name = (lane) => `#${lane.row}`;
  const span = (lane, from, to) => ({ lane: name(lane), from: from / SECOND, to: to / SECOND });
  const uses = (lane) =>
    lane.used.flatMap((time, place) => (place % 2 ? [span(lane, lane.used[place - 1], time)] : []));
  const lives = lanes.map((lane) => ({
    ...span(lane, lane.opening[0], lane.end),
    ending: lane.ending,
    words: lane.words.map((said, place) => `${words[place]}: ${said}`).join("\n"),
  }));
  const where = { x1: "from", x2: "to", y: "lane" };
  const bars = (spans, fill) =>
    Plot.barX(spans, {
      ...where, fill, stroke: fill, strokeWidth: 0.5, insetTop: 2, insetBottom: 2,
    });
  const closed = lives.filter((one) => one.ending);
  return {
    height: 52 + 14 * lanes.length,
    marginTop: 8,
    x: { label: "seconds from the start →", domain: shown.map((at) => at / SECOND), grid: true },
    y: { domain: lanes.map(name), label: null, tickSize: 0, padding: 0.1, round: false },
    marks: [
      Plot.ruleY(lives, { ...where, stroke: "var(--faint)" }),
      bars(lanes.flatMap(uses), fill),
      bars(lanes.map((lane) => span(lane, ...lane.opening)), "var(--ink)"),
      Plot.dot(closed, { x: "to", y: "lane", symbol: "times", r: 3, stroke: "var(--bad)" }),
      tip(lives, Plot.pointerY, where),
    ],
  };
}

let width = 0;
new ResizeObserver(() => {
  const now = document.querySelector("main").clientWidth;
  if (now === width) return;
  width = now;
  for (const [name, data] of Object.entries(charts)) {
    drawings[name](document.getElementById(name), data);
  }
}).observe(document.querySelector("main"));
