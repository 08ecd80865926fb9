"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const say = (text) => { document.getElementById("status").textContent = text; };

  // ------------------------------------------------------------------ theme
  const system = matchMedia("(prefers-color-scheme: dark)");
  const toggle = document.getElementById("theme");
  const isDark = () => (root.dataset.theme || (system.matches ? "dark" : "light")) === "dark";

  // Figures are written in light colours; every one has a dark twin.
  const themed = (value, dark) => {
    if (!dark) return value;
    if (typeof value === "string") return Object.hasOwn(data.dark, value) ? data.dark[value] : value;
    if (Array.isArray(value)) return value.map((inner) => themed(inner, dark));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, themed(inner, dark)]));
    }
    return value;
  };

  // ---------------------------------------------------------------- figures
  const copyOf = (value) => JSON.parse(JSON.stringify(value));
  const draw = (element, { dark = isDark(), width } = {}) => {
    const source = data.figures[element.dataset.figure];
    const figure = themed({ data: copyOf(source.data), layout: copyOf(source.layout) }, dark);
    if ((width || innerWidth) < 600) {
      if (figure.layout.coloraxis) Object.assign(figure.layout.coloraxis.colorbar, { len: 1, x: 0, xanchor: "left" });
      figure.layout.margin = { ...figure.layout.margin, l: 44, r: 8 };
      figure.layout.font.size = 11;
      // A narrow screen has room for the head of a hover text; the panel below holds all of it.
      for (const trace of figure.data) {
        if (trace.text) trace.text = trace.text.map((text) => text.split("<br>").slice(0, 4).join("<br>"));
      }
    }
    if (width) figure.layout.width = width;
    return Plotly.react(element, figure.data, figure.layout, data.config);
  };
  const figures = [...document.querySelectorAll("[data-figure]")];
  const drawAll = (options) => figures.forEach((element) => draw(element, options));

  const applyTheme = () => {
    toggle.textContent = isDark() ? "Light" : "Dark";
    toggle.setAttribute("aria-pressed", String(isDark()));
    toggle.setAttribute("aria-label", `Switch to ${isDark() ? "light" : "dark"} colours`);
    drawAll();
  };
  toggle.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; applyTheme(); });
  system.addEventListener("change", applyTheme);
  applyTheme();
  let drawnAt = innerWidth;
  addEventListener("resize", () => {
    if ((drawnAt < 600) !== (innerWidth < 600)) drawAll();
    drawnAt = innerWidth;
  });

  // Paper is white and 182 mm wide inside its margins.
  addEventListener("beforeprint", () => drawAll({ dark: false, width: 680 }));
  addEventListener("afterprint", () => drawAll());

  // ---------------------------------------------------------- chosen trial
  const panel = document.getElementById("selected");
  const choose = (number) => {
    for (const row of document.querySelectorAll("tr[data-trial]")) {
      row.classList.toggle("chosen", Number(row.dataset.trial) === number);
    }
  };
  const decode = (markup) => new DOMParser().parseFromString(markup.replaceAll("<br>", "\n"), "text/html").body.textContent;
  const showPanel = (text, number) => {
    const lines = decode(text);
    const command = lines.slice(lines.lastIndexOf("lorap-bench train")).replace(/\s*\n\s*/g, " ");
    const body = document.createElement("pre");
    body.textContent = lines.slice(0, lines.lastIndexOf("lorap-bench train")).trimEnd();
    panel.replaceChildren(body, copyable(command));
    panel.hidden = false;
    choose(number);
  };
  const copyable = (command) => {
    const box = document.createElement("div");
    const code = document.createElement("code");
    const button = document.createElement("button");
    box.className = "copyable";
    code.textContent = command;
    Object.assign(button, { type: "button", className: "copy", textContent: "Copy" });
    button.dataset.copy = command;
    box.append(button, code);
    return box;
  };
  const pareto = document.getElementById("figure-pareto");
  if (pareto) {
    const texts = new Map(data.figures.pareto.data.flatMap(
      (trace) => (trace.text ?? []).map((text, place) => [trace.customdata[place], text])));
    pareto.on("plotly_click", ({ points: [point] }) => showPanel(texts.get(point.customdata), point.customdata));
    for (const button of document.querySelectorAll("[data-pick]")) {
      button.addEventListener("click", () => {
        const number = Number(button.dataset.pick);
        showPanel(texts.get(number), number);
        panel.scrollIntoView({ block: "center" });
        panel.focus({ preventScroll: true });
      });
    }
  }

  // ------------------------------------------------------------------ copy
  const copyText = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Pages from a disk may not use the clipboard in every browser.
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  };
  document.addEventListener("click", async ({ target }) => {
    if (!(target instanceof HTMLElement) || target.dataset.copy === undefined) return;
    await copyText(target.dataset.copy);
    target.textContent = "Copied";
    say("Copied");
    setTimeout(() => { target.textContent = "Copy"; }, 1500);
  });

  // ------------------------------------------------------------------ sort
  const keyOf = (row, column, kind) => {
    const cell = row.cells[column];
    if (kind === "text") return cell.textContent.trim();
    const value = cell.dataset.value;
    return value === undefined || value === "" || value === "nan" ? null : Number(value);
  };
  const compare = (kind, sign) => (a, b) => {
    if (a.key === null || b.key === null) return (a.key === null) - (b.key === null); // gaps always last
    return sign * (kind === "text" ? a.key.localeCompare(b.key, "en", { numeric: true }) : a.key - b.key);
  };
  for (const button of document.querySelectorAll("[data-sort]")) {
    button.addEventListener("click", () => {
      const heading = button.closest("th");
      const table = heading.closest("table");
      const ascending = heading.getAttribute("aria-sort") !== "ascending";
      for (const other of heading.parentElement.cells) if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none");
      heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      const kind = button.dataset.sort;
      const rows = [...table.tBodies[0].rows].map((row) => ({ row, key: keyOf(row, heading.cellIndex, kind) }));
      table.tBodies[0].append(...rows.sort(compare(kind, ascending ? 1 : -1)).map(({ row }) => row));
      say(`Sorted by ${button.textContent}, ${ascending ? "ascending" : "descending"}`);
    });
  }

  // ------------------------------------------------------------- downloads
  // Embedded data makes the file whole on its own; without it the links reach the files beside the page.
  const files = { ...data.files, study: data.study };
  for (const link of document.querySelectorAll("[data-file]")) {
    const text = files[link.dataset.file];
    if (text !== undefined) link.href = URL.createObjectURL(new Blob([text], { type: "text/plain;charset=utf-8" }));
  }

  // An anchor inside a closed section opens it; printing opens them all.
  const openTarget = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    if (target instanceof HTMLDetailsElement) target.open = true;
    target?.querySelector?.(":scope > details")?.setAttribute("open", "");
  };
  addEventListener("hashchange", openTarget);
  openTarget();
  root.dataset.ready = "true";
})();
