"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const root = document.documentElement;
  const say = (words) => { document.getElementById("status").textContent = words; };
  const parallels = [];
{% for part in parts %}

{{ part }}
{% endfor %}

  // ---------------------------------------------------------------- begin
  parallels.push(...[...document.querySelectorAll("[data-parallel]")].map(parallel));
  applyTheme();
  figures.forEach(listen);
  toggle.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; applyTheme(); });
  system.addEventListener("change", applyTheme);
  let drawnAt = innerWidth;
  addEventListener("resize", () => {
    if ((drawnAt < 600) !== (innerWidth < 600)) drawAll();
    drawnAt = innerWidth;
  });
  // Paper is white and 182 mm wide inside its margins.
  addEventListener("beforeprint", () => drawAll({ dark: false, width: 680 }));
  addEventListener("afterprint", () => drawAll());
  // A figure inside something closed has no width yet when it is drawn.
  for (const fold of document.querySelectorAll("details")) {
    fold.addEventListener("toggle", () => { if (fold.open) fold.querySelectorAll("[data-figure]").forEach((one) => Plotly.Plots.resize(one)); });
  }
  // An anchor inside a closed section opens it.
  const openTarget = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    for (let fold = target && target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    target?.querySelector?.(":scope > details")?.setAttribute("open", "");
  };
  addEventListener("hashchange", openTarget);
  openTarget();
  root.dataset.ready = "true";
})();
