  // ---------------------------------------------------------------- a trial's card
  const drawer = document.getElementById("card");
  let before = null;
  const element = (name, content, properties = {}) => {
    const made = Object.assign(document.createElement(name), properties);
    if (Array.isArray(content)) made.append(...content);
    else if (content !== undefined) made.textContent = content;
    return made;
  };
  const pairs = (entries) => element("dl", entries.map(([label, value]) =>
    element("div", [element("dt", label), element("dd", value)])));
  const copyable = (command) => {
    const button = element("button", "Copy", { type: "button", className: "copy" });
    button.dataset.copy = "";
    return element("div", [button, element("code", command)], { className: "copyable" });
  };
  const replicas = (rows) => {
    const head = element("thead", [element("tr", data.replicas.map((name) => element("th", name, { scope: "col" })))]);
    const body = element("tbody", rows.map((row) => element("tr", row.map((cell) => element("td", cell)))));
    return element("div", [element("table", [head, body])], { className: "scroll", tabIndex: 0 });
  };
  const openCard = (number) => {
    const trial = data.trials[number];
    const close = element("button", "Close", { type: "button", className: "close" });
    close.addEventListener("click", closeCard);
    const parts = [
      element("div", [element("h2", trial.title), close], { className: "drawer-head" }),
      element("p", trial.head.join("\n"), { className: "drawer-lead" }),
      element("h3", "Run again"),
      copyable(trial.command),
      element("h3", "Replicas"),
      trial.replicas.length ? replicas(trial.replicas) : element("p", "none was trained"),
      element("h3", "Figures"),
      pairs(trial.facts),
    ];
    const bits = Object.entries(trial.bits);
    if (bits.length) parts.push(element("h3", "Bits per site"), pairs(bits));
    if (trial.log) parts.push(element("h3", "End of the training"), element("pre", trial.log.join("\n"), { tabIndex: 0 }));
    const lines = settings(number).flatMap(([section, values]) => values.map(([name, value]) => `${section}.${name} = ${text(value)}`));
    parts.push(element("h3", "Configuration"), element("pre", lines.join("\n"), { tabIndex: 0 }));
    if (drawer.hidden) before = document.activeElement;
    drawer.replaceChildren(...parts);
    drawer.setAttribute("aria-label", trial.title);
    drawer.hidden = false;
    drawer.scrollTop = 0;
    drawer.focus({ preventScroll: true });
    for (const row of document.querySelectorAll("tr[data-trial]")) {
      row.classList.toggle("chosen", Number(row.dataset.trial) === number);
    }
  };
  const closeCard = () => {
    drawer.hidden = true;
    before?.focus?.({ preventScroll: true });
  };
  drawer.addEventListener("keydown", ({ key }) => { if (key === "Escape") closeCard(); });
  for (const pick of document.querySelectorAll("[data-pick]")) pick.setAttribute("aria-label", `Show trial ${pick.dataset.pick}`);
  document.addEventListener("click", ({ target }) => {
    const pick = target instanceof Element && target.closest("[data-pick]");
    if (pick) openCard(Number(pick.dataset.pick));
  });
