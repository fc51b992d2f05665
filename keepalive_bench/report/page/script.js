"use strict";
// Draws the charts of the page from the data in it. All words are set as text, never as markup.

const { labels, charts } = JSON.parse(document.getElementById("data").textContent);

const MILLI = 1e3, SECOND = 1e6; // the data are in microseconds
const NARROW = 500;
const MANY = 6; // arms in one tip
const LINE = 15; // of text, in pixels
const FEW = 20; // lanes that have room for words

const colour = (arm) => `var(--arm-${arm % 8})`;
const number = (value) => value.toLocaleString("en");
const digits = (value) => (value < 999.5 ? value.toPrecision(3) : value.toFixed());
const duration = (micro) =>
  micro < 0.9995 * SECOND ? `${digits(micro / MILLI)} ms` : `${digits(micro / SECOND)} s`;
const scale = (logarithmic, domain) => ({
  type: logarithmic ? "log" : "linear", domain, tickFormat: number, ticks: 5,
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
const armLabels = (what = []) =>
  Plot.text(labels, {
    fy: (label) => label,
    text: (label, arm) => label + (what[arm] ?? ""),
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
  spread(place, { edges, counts, answers, medians, logarithmic }) {
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
    const [low, high] = [logarithmic ? edges[0] : 0, edges.at(-1)].map((at) => at / MILLI);
    const ofMedian = (median, arm) => {
      if (!median) return [];
      const at = median[0] / MILLI;
      const isLeft = at < (logarithmic ? Math.sqrt(low * high) : high / 2);
      const above = LINE * (medians.length - arm) - 6; // each in a line of its own
      return [
        Plot.ruleX([at], {
          stroke: colour(arm), strokeWidth: 1.5, strokeDasharray: "4 3", insetTop: -above,
        }),
        Plot.text([at], {
          x: (it) => it,
          text: () => `${labels[arm]}: median ${median[1]}`,
          frameAnchor: "top",
          dx: isLeft ? 5 : -5,
          dy: -above,
          lineAnchor: "middle",
          textAnchor: isLeft ? "start" : "end",
        }),
      ];
    };
    const top = LINE * medians.filter(Boolean).length + 12;
    place.replaceChildren(draw(place, {
      height: 230 + top,
      marginTop: top,
      x: { ...scale(logarithmic, [low, high]), label: "latency, ms →" },
      y: { label: "% of responses", labelAnchor: "center", grid: true, ticks: 5 },
      marks: [
        ...labels.map(ofArm),
        Plot.ruleY([0]),
        ...medians.flatMap(ofMedian),
        tip(bins, Plot.pointerX, where),
      ],
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

  timeline(place, { arms, fates, medians, shown: [low, high], logarithmic }) {
    const edge = logarithmic ? high * (high / low) ** 0.06 : high * 1.06; // for what took longer
    const marks = arms.flatMap((columns, arm) =>
      requests(columns, arm, fates, (latency) => (latency > high ? edge : Math.max(latency, low))));
    const where = { x: "at", y: "latency", fy: "label" };
    const shown = (kind, look) =>
      labels.map((_, arm) => Plot.dot(
        marks.filter((mark) => mark.arm === arm && mark.kind === kind),
        { ...where, ...look(colour(arm)) },
      ));
    const radius = marks.length > 400 ? 1.8 : 2.6;
    const middles = medians.flatMap((median, arm) =>
      (median ? [{ label: labels[arm], at: median[0] / MILLI, arm }] : []));
    const said = (median) => (median ? `, median ${median[1]}` : "");
    place.replaceChildren(draw(place, {
      height: 60 + 150 * labels.length,
      marginTop: 26,
      x: {
        label: "seconds from the start →",
        domain: [0, Math.max(...marks.map((mark) => mark.at)) || 1],
      },
      y: {
        ...scale(logarithmic, [low / MILLI, edge / MILLI]), label: null, grid: true,
      },
      fy: { domain: labels, axis: null, padding: 0.22 },
      marks: [
        armLabels(medians.map((median) => `: latency in ms${said(median)}`)),
        Plot.ruleY(logarithmic ? [] : [0]),
        ...shown("reused", (fill) => ({ r: radius, fill, fillOpacity: 0.6 })),
        ...shown("opened", (fill) => ({
          r: 3, symbol: "triangle", fill, fillOpacity: 0.5, stroke: fill, strokeWidth: 0.7,
        })),
        ...shown("failed", () => ({ r: 3, symbol: "times", stroke: "var(--bad)" })),
        Plot.ruleY(middles, {
          y: "at", fy: "label", stroke: (it) => colour(it.arm), strokeDasharray: "4 3",
          strokeWidth: 1.5,
        }),
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
        name,
        from: (ends[phase - 1] ?? 0) / MILLI,
        to: ends[phase] / MILLI,
        words: `${label}: ${name} ${duration(shares[phase][arm])} a request\n`
          + details[phase][arm],
      }));
    });
    const ofPhase = (_, phase) =>
      Plot.barX(parts.filter((part) => part.phase === phase), {
        x1: "from", x2: "to", fy: "label", fill: `var(--phase-${colours[phase]})`,
        insetRight: 0.5, insetBottom: LINE,
      });
    const most = Math.max(...parts.map((part) => part.to));
    const room = (part) => ((part.to - part.from) / most) * (place.clientWidth - 40);
    const named = parts.filter((part) => room(part) > 7.5 * part.name.length);
    place.replaceChildren(draw(place, {
      height: 54 + 68 * labels.length,
      marginTop: 22,
      marginLeft: 12, // half of the first tick's label is left of its place
      x: { label: "ms a request →", grid: true },
      fy: { domain: labels, axis: null, padding: 0.4 },
      marks: [
        armLabels(),
        ...names.map(ofPhase),
        Plot.ruleX([0]),
        Plot.text(named, {
          x: (part) => (part.from + part.to) / 2,
          fy: "label",
          text: "name",
          frameAnchor: "bottom",
          stroke: "var(--paper)",
          fill: "currentColor",
          strokeWidth: 4,
        }),
        tip(inside(parts), Plot.pointerX, { x: "at", fy: "label" }),
      ],
    }));
  },

  pool(place, { arms, words }) {
    place.replaceChildren();
    arms.forEach(({ title, lanes, band, shown }, arm) => {
      if (!band && !lanes.length) return;
      const name = document.createElement("div"); // all of it is one image: no heading is in it
      name.className = "name";
      name.textContent = title;
      const drawn = band
        ? crowd(band, shown, colour(arm))
        : life(lanes, words, shown, colour(arm), place.clientWidth);
      place.append(name, draw(place, drawn));
    });
  },

  traced(place, { panels, words, shown }) {
    place.replaceChildren();
    const say = (style, text) => {
      const name = document.createElement("div"); // as of a pool's arms
      name.className = style;
      name.textContent = text;
      place.append(name);
    };
    panels.forEach(({ title, bands, lanes }, panel) => {
      say("name", title);
      const isEnd = panel === panels.length - 1;
      bands.forEach((band, number) => {
        say("part", band.title);
        const drawn = crowd(band, shown, colour(band.colour));
        const isLast = !lanes.length && number === bands.length - 1;
        place.append(draw(place, sharing(drawn, isLast, isEnd)));
      });
      if (!lanes.length) return;
      if (bands.length) say("part", "the others, each");
      const drawn = life(lanes, words, shown, null, place.clientWidth);
      place.append(draw(place, sharing(drawn, true, isEnd)));
    });
  },
};

/** A plot whose axis is that of the last one of its panel; the last panel's says what it is. */
function sharing({ height, x, ...options }, isLast, isEnd) {
  const marginBottom = !isLast ? 6 : isEnd ? 40 : 22;
  return {
    ...options,
    height: height - 40 + marginBottom,
    marginBottom,
    x: { ...x, label: isEnd ? x.label : null, axis: isLast ? "bottom" : null },
  };
}

/** How many answers of each arm are in a bin, in words; of many arms, of those that have any. */
function some(counted) {
  const told = counted.length > MANY ? counted.filter(([, count]) => count) : counted;
  const lines = told.slice(0, MANY).map(([label, count, all]) =>
    `${label}: ${number(count)} of ${number(all)}`);
  return told.length > MANY ? [...lines, `and ${number(told.length - MANY)} more`] : lines;
}

/** The marks of one arm's requests. */
function requests(columns, arm, fates, drawn) {
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
      latency: drawn(latency) / MILLI,
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

/**
 * The lanes of one arm; each says what it carried where there is room beside it. Without a `fill`,
 * each has a colour of its own.
 */
function life(lanes, words, shown, fill, width) {
  const name = (lane) => `#${lane.row}`;
  const span = (lane, from, to) => ({ lane: name(lane), from: from / SECOND, to: to / SECOND });
  const uses = (lane) =>
    lane.used.flatMap((time, place) => (place % 2 ? [span(lane, lane.used[place - 1], time)] : []));
  const lives = lanes.map((lane) => ({
    ...span(lane, lane.opening[0], lane.end),
    ending: lane.ending,
    label: lane.label,
    words: lane.words.map((said, place) => `${words[place]}: ${said}`).join("\n"),
  }));
  const where = { x1: "from", x2: "to", y: "lane" };
  const bars = (spans, fill) =>
    Plot.barX(spans, {
      ...where, fill, stroke: fill, strokeWidth: 0.5, insetTop: inset, insetBottom: inset,
    });
  const closed = lives.filter((one) => one.ending);
  const [start, end] = shown.map((at) => at / SECOND);
  const pixels = (time) => ((time - start) / (end - start)) * (width - 80);
  const few = lanes.length <= FEW, inset = few ? 3 : 1.5;
  const fits = (one, left) => pixels(left ? one.from : start + end - one.to) > 7 * one.label.length;
  const beside = (left) => Plot.text(
    few ? lives.filter((one) => fits(one, left) && (!left || !fits(one, false))) : [],
    {
      x: left ? "from" : "to", y: "lane", text: "label", textAnchor: left ? "end" : "start",
      dx: left ? -6 : 9, fill: "var(--faint)",
    },
  );
  const every = Math.ceil(lanes.length / FEW);
  const fills = new Set(lanes.map((lane) => fill ?? colour(lane.colour)));
  const filled = (one) => lanes.filter((lane) => (fill ?? colour(lane.colour)) === one);
  return {
    height: 52 + (few ? 18 : 9) * lanes.length,
    marginTop: 8,
    x: { label: "seconds from the start →", domain: [start, end], grid: true },
    y: {
      domain: lanes.map(name), label: null, tickSize: 0, padding: 0.1, round: false,
      ticks: lanes.filter((_, place) => place % every === 0).map(name),
    },
    marks: [
      Plot.ruleY(lives, { ...where, stroke: "var(--faint)" }),
      ...[...fills].map((one) => bars(filled(one).flatMap(uses), one)),
      bars(lanes.map((lane) => span(lane, ...lane.opening)), "var(--ink)"),
      Plot.dot(closed, { x: "to", y: "lane", symbol: "times", r: 3, stroke: "var(--bad)" }),
      beside(false),
      beside(true),
      tip(lives, Plot.pointerY, where),
    ],
  };
}

/**
 * How many connections of an arm there are at a time, where each carries one request; with those
 * that are idle and what a pointer is told, where there is some of that.
 */
function crowd({ opening, used, idle, title }, shown, fill) {
  const [start, end] = shown.map((at) => at / SECOND);
  const at = (step) => start + ((end - start) * step) / opening.length;
  const steps = (from, to) =>
    to.map((count, step) => ({
      x1: at(step), x2: at(step + 1), y1: from[step], y2: from[step] + count,
    })).filter(({ y1, y2 }) => y2 > y1);
  const where = { x1: "x1", x2: "x2", y1: "y1", y2: "y2", shapeRendering: "crispEdges" };
  const busy = opening.map((count, step) => count + used[step]);
  const all = busy.map((count, step) => count + (idle?.[step] ?? 0));
  const most = Math.max(1, ...all.map((count) => Math.ceil(count - 0.01)));
  const points = (idle ?? []).map((waiting, step) => ({
    at: (at(step) + at(step + 1)) / 2,
    count: all[step],
    words: [
      title,
      `${duration(SECOND * at(step))} to ${duration(SECOND * at(step + 1))}, on average:`,
      `${digits(opening[step])} being opened, ${digits(used[step])} in use, `
        + `${digits(waiting)} idle`,
    ].join("\n"),
  })).filter((point) => point.count);
  return {
    height: 96,
    marginTop: 8,
    x: { label: "seconds from the start →", domain: [start, end] },
    y: { label: null, domain: [0, most], ticks: [0, most], tickFormat: number },
    marks: [
      Plot.rectY(steps(opening.map(() => 0), opening), { ...where, fill: "var(--ink)" }),
      Plot.rectY(steps(opening, used), { ...where, fill }),
      ...(idle ? [Plot.rectY(steps(busy, idle), { ...where, fill, fillOpacity: 0.3 })] : []),
      Plot.ruleY([0]),
      ...(idle ? [tip(points, Plot.pointerX, { x: "at", y: "count" })] : []),
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
