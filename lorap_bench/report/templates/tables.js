  // ---------------------------------------------------------------- copy
  const copyText = async (content) => {
    try {
      await navigator.clipboard.writeText(content);
    } catch {
      // Pages from a disk may not use the clipboard in every browser.
      const area = document.createElement("textarea");
      area.value = content;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
  };
  document.addEventListener("click", async ({ target }) => {
    if (!(target instanceof HTMLElement) || target.dataset.copy === undefined) return;
    await copyText(target.parentElement.querySelector("code").textContent);
    target.textContent = "Copied";
    say("Copied");
    setTimeout(() => { target.textContent = "Copy"; }, 1500);
  });

  // ---------------------------------------------------------------- sort
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

  // ---------------------------------------------------------------- downloads
  const quoted = (value) => (/[",\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const partsOf = (heading) => heading.dataset.parts?.split("\t") ?? [];
  const headOf = (cell) => {
    const label = cell.dataset.raw ?? cell.textContent.trim();
    return [label, ...partsOf(cell).map((part) => `${label} ${part}`)];
  };
  const cellsOf = (cell, place) => {
    const parts = partsOf(cell.closest("table").tHead.rows[0].cells[place]);
    return [cellText(cell), ...(cell.dataset.rest?.split("\t") ?? parts.map(() => ""))];
  };
  const cellText = (cell) => {
    if (cell.dataset.value !== undefined) return cell.dataset.value === "nan" ? "" : cell.dataset.value;
    if (cell.textContent === "–") return "";
    const content = (cell.querySelector("code") ?? cell).textContent.trim();
    return /^[=+@-]./.test(content) ? `'${content}` : content; // a spreadsheet would take it for a formula
  };
  const csvOf = (table) => [
    [...table.tHead.rows[0].cells].flatMap(headOf),
    ...[...table.tBodies[0].rows].map((row) => [...row.cells].flatMap(cellsOf)),
  ].map((cells) => cells.map(quoted).join(",")).join("\n") + "\n";
  const save = (content, name) => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content], { type: "text/plain;charset=utf-8" }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  for (const button of document.querySelectorAll("[data-csv]")) {
    const table = document.getElementById(button.dataset.csv);
    button.setAttribute("aria-label", `Save ${table.caption.textContent} as CSV`);
    button.addEventListener("click", () => save(csvOf(table), `${table.dataset.name}.csv`));
  }
  // Embedded data makes the file whole on its own; without it the links reach the files beside the page.
  for (const link of document.querySelectorAll("[data-file]")) {
    const content = data.files[link.dataset.file];
    if (content !== undefined) link.href = URL.createObjectURL(new Blob([content], { type: "text/plain;charset=utf-8" }));
  }
