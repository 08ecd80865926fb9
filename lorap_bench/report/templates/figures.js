  // ---------------------------------------------------------------- theme
  const system = matchMedia("(prefers-color-scheme: dark)");
  const toggle = document.getElementById("theme");
  const isDark = () => (root.dataset.theme || (system.matches ? "dark" : "light")) === "dark";

  // Figures are written in light colours; every one has a dark twin.
  const twinOf = (colour) => {
    const veil = /^rgba\((\d+), (\d+), (\d+), ([\d.]+)\)$/.exec(colour);
    if (!veil) return Object.hasOwn(data.dark, colour) ? data.dark[colour] : colour;
    const bare = `#${veil.slice(1, 4).map((part) => Number(part).toString(16).padStart(2, "0")).join("")}`;
    if (!Object.hasOwn(data.dark, bare)) return colour;
    const parts = [1, 3, 5].map((at) => parseInt(data.dark[bare].slice(at, at + 2), 16));
    return `rgba(${parts.join(", ")}, ${veil[4]})`;
  };
  const themed = (value, dark) => {
    if (!dark) return value;
    if (typeof value === "string") return twinOf(value);
    if (Array.isArray(value)) return value.map((inner) => themed(inner, dark));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, themed(inner, dark)]));
    }
    return value;
  };

  // ---------------------------------------------------------------- hover
  const width = 84;
  const wrap = (head, words, indent) => {
    const lines = [head];
    for (const word of words) {
      const last = lines.length - 1;
      if (lines[last].length + word.length + 1 > width && lines[last].trim()) lines.push(indent + word);
      else lines[last] += (lines[last] && !lines[last].endsWith(" ") ? " " : "") + word;
    }
    return lines.flatMap((line) => line.match(/.{1,160}/gs) ?? [""]);
  };
  const text = (value) => (typeof value === "string" ? value : JSON.stringify(value));
  const settings = (number) => {
    const { differs } = data.trials[number];
    return Object.entries(data.base).map(([section, values]) => {
      const mine = Object.entries(differs).filter(([path]) => path.startsWith(`${section}.`));
      const all = { ...values, ...Object.fromEntries(mine.map(([path, value]) => [path.slice(section.length + 1), value])) };
      return [section, Object.entries(all).filter(([, value]) => value !== null && text(value) !== "{}")];
    });
  };
  const escaped = (line) => line.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const hovers = new Map();
  const hoverOf = (number) => {
    if (!hovers.has(number)) {
      const trial = data.trials[number];
      const lines = [
        ...trial.head.flatMap((line) => wrap("", line.split(" "), "  ")),
        "",
        ...settings(number).flatMap(([section, pairs]) =>
          wrap(section.padEnd(7), pairs.map(([name, value]) => `${name}=${text(value)}`), " ".repeat(8))),
        "",
        ...wrap("", trial.command.split(" "), "    "),
      ];
      hovers.set(number, [`<b>${escaped(trial.title)}</b>`, ...lines.map(escaped)].join("<br>"));
    }
    return hovers.get(number);
  };

  // ---------------------------------------------------------------- links between figures
  // A trace names trials in customdata (one a point), in meta.trials (one a row), or in meta.trial (all of it).
  const named = (trace) => Array.isArray(trace.customdata) && trace.customdata.length > 0
    && trace.customdata.every((number) => Object.hasOwn(data.trials, number));
  const kept = (values, marks) => (Array.isArray(values) && values.length === marks.length
    ? values.filter((_, place) => marks[place]) : values);
  const keptAll = (object, marks) => Object.fromEntries(Object.entries(object).map(([key, value]) => [
    key, value && typeof value === "object" && !Array.isArray(value) && ["marker", "error_y", "line"].includes(key)
      ? keptAll(value, marks) : kept(value, marks)]));
  const filtered = (trace) => {
    if (trace.meta?.trial !== undefined) return selection.has(trace.meta.trial) ? trace : { ...trace, visible: false };
    if (Array.isArray(trace.meta?.trials)) {
      const marks = trace.meta.trials.map((number) => selection.has(number));
      const rows = Object.fromEntries(["z", "y", "text", "customdata"].filter((key) => trace[key]).map((key) => [key, kept(trace[key], marks)]));
      return { ...trace, ...rows, meta: { ...trace.meta, trials: kept(trace.meta.trials, marks) } };
    }
    return named(trace) ? keptAll(trace, trace.customdata.map((number) => selection.has(number))) : trace;
  };
  const dimmed = (trace) => (named(trace) ? {
    ...trace,
    selectedpoints: trace.customdata.flatMap((number, place) => (selection.has(number) ? [place] : [])),
    unselected: { marker: { opacity: trace.marker.opacity === 0 ? 0 : 0.1 } },
    error_y: trace.error_y && { ...trace.error_y, array: trace.error_y.array?.map((bar, place) => (selection.has(trace.customdata[place]) ? bar : null)) },
  } : trace);

  // ---------------------------------------------------------------- figures
  const copyOf = (value) => JSON.parse(JSON.stringify(value));
  const draw = (element, { dark = isDark(), width: fixed } = {}) => {
    const source = data.figures[element.dataset.figure];
    const figure = themed({ data: copyOf(source.data), layout: copyOf(source.layout) }, dark);
    const narrow = (fixed || innerWidth) < 600;
    if (selection) figure.data = figure.data.map(figure.layout.dragmode === "select" ? dimmed : filtered);
    for (const trace of figure.data) {
      if (!source.hover || !named(trace)) continue;
      // A narrow screen has room for the head of a hover text; the card holds all of it.
      trace.text = trace.customdata.map((number) => (narrow ? hoverOf(number).split("<br>").slice(0, 4).join("<br>") : hoverOf(number)));
      trace.hovertemplate = "%{text}<extra></extra>";
    }
    if (narrow) {
      if (figure.layout.coloraxis) Object.assign(figure.layout.coloraxis.colorbar, { len: 1, x: 0, xanchor: "left" });
      figure.layout.margin = { ...figure.layout.margin, l: Math.min(figure.layout.margin.l, 48), r: 8 };
      figure.layout.font.size = 11;
    }
    figure.layout.uirevision = "kept";
    if (fixed) figure.layout.width = fixed;
    return Plotly.react(element, figure.data, figure.layout, data.config).then(() => {
      // The buttons are for the pointer; the tables and filters serve the keyboard.
      for (const button of element.querySelectorAll(".modebar-btn")) button.tabIndex = -1;
    });
  };
  const figures = [...document.querySelectorAll("[data-figure]")];
  const drawAll = (options) => figures.forEach((element) => draw(element, options));
  const linked = (element) => data.figures[element.dataset.figure].data.some(
    (trace) => trace.meta?.trial !== undefined || trace.meta?.trials || named(trace));

  const trialAt = ({ data: trace, customdata, pointNumber }) => {
    if (trace.meta?.trial !== undefined) return trace.meta.trial;
    if (trace.meta?.trials) return trace.meta.trials[pointNumber[0]];
    return typeof customdata === "number" ? customdata : undefined;
  };
  const listen = (element) => {
    element.on("plotly_click", ({ points: [point] }) => {
      const number = trialAt(point);
      if (Object.hasOwn(data.trials, number)) openCard(number);
      Plotly.Fx.unhover(element);
    });
    element.on("plotly_selected", (event) => {
      const numbers = (event?.points ?? []).map(trialAt).filter((number) => number !== undefined);
      if (numbers.length) select(new Set(numbers));
    });
    element.on("plotly_deselect", () => select(null));
  };

  const applyTheme = () => {
    toggle.textContent = isDark() ? "Light" : "Dark";
    toggle.setAttribute("aria-pressed", String(isDark()));
    toggle.setAttribute("aria-label", `Switch to ${isDark() ? "light" : "dark"} colours`);
    drawAll();
    parallels.forEach((one) => one.draw());
  };
