  // ---------------------------------------------------------------- selection
  // One set of trials, or null for all of them; every linked figure and table shows it.
  let selection = null;
  const bar = document.getElementById("selection");
  const select = (numbers, { keepBrushes = false } = {}) => {
    selection = numbers;
    if (!keepBrushes) parallels.forEach((one) => one.clear());
    bar.hidden = !selection;
    const all = Object.keys(data.trials).length;
    document.getElementById("selection-text").textContent = selection ? `${selection.size} of ${all} drawn trials selected` : "";
    say(selection ? `${selection.size} trials selected` : "All trials shown");
    for (const row of document.querySelectorAll("tr[data-trial]")) {
      row.hidden = Boolean(selection) && !selection.has(Number(row.dataset.trial));
    }
    figures.filter(linked).forEach((element) => draw(element));
    parallels.forEach((one) => one.draw());
  };
  document.addEventListener("keydown", ({ key }) => { if (key === "Escape" && drawer.hidden && selection) select(null); });
  document.getElementById("clear").addEventListener("click", () => select(null));
