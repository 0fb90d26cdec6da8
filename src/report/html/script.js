"use strict";
for (const table of document.querySelectorAll("table:not(.plain)")) {
  const body = table.tBodies[0];
  const rows = Array.from(body.rows);
  const tools = table.previousElementSibling;
  const filter = tools.querySelector(".filter");
  const severity = tools.querySelector(".of-severity");
  const status = tools.querySelector(".of-status");
  const shown = tools.querySelector(".shown");
  const texts = new Map();
  const textOf = (row) => {
    if (!texts.has(row)) {
      // What ends one element and begins the next is not one word.
      const words = [];
      const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) words.push(walker.currentNode.data);
      texts.set(row, words.join(" ").toLowerCase());
    }
    return texts.get(row);
  };
  const choose = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      const fits = (!severity.value || row.dataset.severity === severity.value)
        && (!status || !status.value || row.dataset.status === status.value)
        && words.every((word) => textOf(row).includes(word));
      row.hidden = !fits;
      if (fits) count += 1;
    }
    shown.textContent = count === rows.length ? `${count} shown` : `${count} of ${rows.length} shown`;
  };
  for (const input of [filter, severity, status]) if (input) input.addEventListener("input", choose);
  choose();
  tools.hidden = false;
  for (const [place, head] of Array.from(table.tHead.rows[0].cells).entries()) {
    if (head.dataset.sort === "no") continue;
    const byNumber = head.dataset.sort === "number";
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const isFirst = head.getAttribute("aria-sort") !== (byNumber ? "descending" : "ascending");
      const descends = byNumber === isFirst;
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", descends ? "descending" : "ascending");
      const order = new Intl.Collator("en", { numeric: true });
      const keyed = rows.map((row) => {
        const cell = row.cells[place];
        return [byNumber ? Number(cell.dataset.sort) : cell.textContent.trim(), row];
      });
      keyed.sort(([a], [b]) => (byNumber ? a - b : order.compare(a, b)) * (descends ? -1 : 1));
      body.append(...keyed.map(([, row]) => row));
    });
  }
}
const copied = async (code) => {
  try {
    await navigator.clipboard.writeText(code.textContent);
    return true;
  } catch {
    const selection = window.getSelection();
    selection.selectAllChildren(code);
    return document.execCommand("copy");
  }
};
document.documentElement.classList.add("scripted");
document.addEventListener("click", async ({ target }) => {
  if (!target.matches("button.copy")) return;
  const done = await copied(target.parentElement.querySelector("code"));
  target.textContent = done ? "Copied" : "Select and copy it";
});
