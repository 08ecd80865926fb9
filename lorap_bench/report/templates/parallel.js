  // ---------------------------------------------------------------- parallel coordinates
  // Plotly's own need WebGL programs compiled by eval, which this page forbids itself.
  const SVG = "http://www.w3.org/2000/svg";
  const shape = (name, attributes, content) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (content !== undefined) made.textContent = content;
    return made;
  };
  const short = (value) => (typeof value !== "number" ? String(value)
    : Number.isInteger(value) && Math.abs(value) < 1e6 ? String(value) : String(Number(value.toPrecision(3))));

  // An axis: where a value stands between 0 (bottom) and 1 (top), and what is written there.
  const axisOf = (column, values) => {
    const present = [...new Set(values.filter((value) => value !== null))];
    if (column.words || present.some((value) => typeof value !== "number")) {
      const names = present.map(String).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
      const at = (value) => (names.length > 1 ? names.indexOf(String(value)) / (names.length - 1) : 0.5);
      return { at, ticks: names, of: (value) => value };
    }
    const sorted = present.sort((a, b) => a - b);
    const [low, high] = [sorted[0], sorted.at(-1)];
    const log = low > 0 && high / low >= 8;
    const scale = (value) => (log ? Math.log(value) : value);
    const at = (value) => (high > low ? (scale(value) - scale(low)) / (scale(high) - scale(low)) : 0.5);
    const even = [0, 0.25, 0.5, 0.75, 1].map((share) => (log ? low * (high / low) ** share : low + share * (high - low)));
    return { at, ticks: sorted.length <= 6 ? sorted : even };
  };

  const mixed = (share, stops) => {
    const place = Math.min(Math.max(share, 0), 1) * (stops.length - 1);
    const index = Math.min(Math.floor(place), stops.length - 2);
    const parts = [1, 3, 5].map((from) => {
      const [a, b] = [stops[index], stops[index + 1]].map((stop) => parseInt(stop.slice(from, from + 2), 16));
      return Math.round(a + (b - a) * (place - index));
    });
    return `rgb(${parts.join(", ")})`;
  };

  const parallel = (host) => {
    const { columns, rows, trials, colour } = data.parallel[host.dataset.parallel];
    const axes = columns.map((column, place) => axisOf(column, rows.map((row) => row[place])));
    const brushes = columns.map(() => null); // [low, high] as shares of an axis
    // Titles stand in lines of whole words; the first axis leaves room for its own names.
    const titles = columns.map((column) => column.label.split(/[. ]+/));
    const left = 24 + 6.2 * Math.max(6, ...axes[0].ticks.map((tick) => short(tick).length));
    const size = { top: 14 + 13 * Math.max(...titles.map((words) => words.length)), height: 260,
      step: Math.max(86, Math.min(190, (1060 - left) / Math.max(columns.length - 1, 1))) };
    const x = (place) => left + place * size.step;
    const y = (share) => size.top + (1 - share) * size.height;
    const missing = size.top + size.height + 22;
    const heightOf = (row, place) => (row[place] === null ? missing : y(axes[place].at(row[place])));
    const holds = (row) => brushes.every((brush, place) => !brush
      || (row[place] !== null && axes[place].at(row[place]) >= brush[0] - 1e-9 && axes[place].at(row[place]) <= brush[1] + 1e-9));
    const scroll = document.createElement("div");
    scroll.className = "parallel-scroll";
    host.append(scroll, filters());

    function apply() {
      const active = brushes.some(Boolean);
      select(active ? new Set(trials.filter((_, place) => holds(rows[place]))) : null, { keepBrushes: true });
    }
    function drawLines(svg) {
      const style = getComputedStyle(root);
      const stops = [0, 1, 2, 3].map((place) => style.getPropertyValue(`--ramp-${place}`).trim());
      const lit = (place) => !selection || selection.has(trials[place]);
      const order = rows.map((row, place) => [row, place])
        .sort(([a, i], [b, j]) => lit(i) - lit(j) || (a[colour] ?? -1) - (b[colour] ?? -1));
      for (const [row, place] of order) {
        const on = lit(place);
        const points = row.map((_, column) => `${x(column).toFixed(1)},${heightOf(row, column).toFixed(1)}`).join(" ");
        const share = row[colour] === null ? 0 : axes[colour].at(row[colour]);
        const line = shape("polyline", { points, fill: "none", stroke: on ? mixed(share, stops) : "var(--rule)",
          "stroke-width": on ? 1.3 : 0.7, opacity: on ? 0.75 : 0.5, "data-trial": trials[place] });
        line.append(shape("title", {}, data.trials[trials[place]]?.title ?? `Trial ${trials[place]}`));
        line.addEventListener("click", () => { if (Object.hasOwn(data.trials, trials[place])) openCard(trials[place]); });
        svg.append(line);
      }
    }
    function drawAxis(svg, column, place) {
      const group = shape("g", { transform: `translate(${x(place)}, 0)` });
      group.append(shape("line", { y1: y(1), y2: y(0), stroke: "var(--muted)" }));
      const first = size.top - 16 - 13 * (titles[place].length - 1);
      titles[place].forEach((word, line) => group.append(shape("text", { y: first + 13 * line, class: "axis-title", "text-anchor": "middle" }, word)));
      for (const tick of axes[place].ticks) {
        const at = y(axes[place].at(tick));
        group.append(shape("line", { x1: -4, x2: 0, y1: at, y2: at, stroke: "var(--muted)" }),
          shape("text", { x: -7, y: at + 3.5, class: "axis-tick", "text-anchor": "end" }, short(tick)));
      }
      if (rows.some((row) => row[place] === null)) group.append(shape("text", { x: -7, y: missing + 3.5, class: "axis-tick", "text-anchor": "end" }, "–"));
      if (brushes[place]) {
        const [low, high] = brushes[place];
        group.append(shape("rect", { x: -7, width: 14, y: y(high), height: Math.max(y(low) - y(high), 3), class: "brush" }));
      }
      const handle = shape("rect", { x: -14, width: 28, y: y(1) - 8, height: size.height + 16, class: "handle" });
      handle.addEventListener("pointerdown", (event) => {
        const top = svg.getBoundingClientRect().top;
        const share = ({ clientY }) => Math.min(Math.max(1 - (clientY - top - size.top) / size.height, 0), 1);
        const start = share(event);
        const move = (next) => { brushes[place] = [Math.min(start, share(next)), Math.max(start, share(next))]; };
        const end = (last) => {
          removeEventListener("pointerup", end);
          move(last);
          if (brushes[place][1] - brushes[place][0] < 0.01) brushes[place] = null; // a click clears
          apply();
        };
        addEventListener("pointerup", end);
        event.preventDefault();
      });
      group.append(handle);
      svg.append(group);
    }
    function drawSelf() {
      const total = x(columns.length - 1) + 40;
      const svg = shape("svg", { width: total, height: missing + 14, viewBox: `0 0 ${total} ${missing + 14}`, role: "img", "aria-label": host.getAttribute("aria-label") });
      drawLines(svg);
      columns.forEach((column, place) => drawAxis(svg, column, place));
      scroll.replaceChildren(svg);
    }
    function filters() {
      const box = document.createElement("details");
      box.className = "filters";
      const summary = document.createElement("summary");
      summary.textContent = "Filter by value";
      const form = document.createElement("div");
      columns.forEach((column, place) => {
        const field = document.createElement("label");
        const list = document.createElement("select");
        field.append(column.label, list);
        const ticks = axes[place].ticks;
        list.add(new Option("all", ""));
        ticks.forEach((tick, index) => {
          if (column.words || ticks.length <= 6 && typeof tick !== "number") list.add(new Option(short(tick), `${index}:${index}`));
          else {
            list.add(new Option(`≤ ${short(tick)}`, `:${index}`));
            list.add(new Option(`≥ ${short(tick)}`, `${index}:`));
          }
        });
        list.addEventListener("change", () => {
          const [low, high] = list.value.split(":");
          brushes[place] = list.value ? [low ? axes[place].at(ticks[low]) : 0, high ? axes[place].at(ticks[high]) : 1] : null;
          apply();
        });
        form.append(field);
      });
      box.append(summary, form);
      return box;
    }
    return {
      draw: drawSelf,
      clear() {
        brushes.fill(null);
        for (const list of host.querySelectorAll("select")) list.value = "";
      },
    };
  };
