/** Sorts a whole table in place and keeps the state in the address; without script the same button asks the server. */
function compare(column, turned) {
  const value = (row) => row.getAttribute(`data-sort-${column}`) ?? "";
  return (one, other) => value(one).localeCompare(value(other)) * (turned === "desc" ? -1 : 1);
}

function mark(table, head, order) {
  for (const other of table.querySelectorAll("th[data-column]")) {
    other.removeAttribute("aria-sort");
    other.querySelector("[name=order]").value = other.dataset.first;
  }
  head.setAttribute("aria-sort", order === "asc" ? "ascending" : "descending");
  head.querySelector("[name=order]").value = order === "asc" ? "desc" : "asc";
}

export function sortable(table) {
  table.addEventListener("submit", (event) => {
    const head = event.target.closest("th[data-column]");
    if (!head) return;
    event.preventDefault();
    const order = event.target.elements.namedItem("order").value;
    const rows = table.querySelector("[data-rows]");
    rows.append(...[...rows.rows].sort(compare(head.dataset.column, order)));
    mark(table, head, order);
    history.replaceState(null, "", `?sort=${head.dataset.column}&order=${order}`);
  });
}
