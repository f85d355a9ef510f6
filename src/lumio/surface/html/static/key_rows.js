/** The table of keys: rows come from the page's own template; the count is always the number of rows. */
import { moment } from "./time.js";
import { visible } from "./visible.js";

const section = document.getElementById("keys");
const table = section.querySelector("table");
const rows = section.querySelector("[data-rows]");

export const tableOfKeys = table;

/** Writes texts into `data-slot`s; a value that is a node is put in as it is. */
export function fill(root, values) {
  for (const [name, value] of Object.entries(values)) {
    for (const slot of root.querySelectorAll(`[data-slot="${name}"]`)) {
      slot.replaceChildren(value instanceof Node ? value.cloneNode(true) : visible(value));
    }
  }
}

/** Shows how many there are, by the section's own noun, and returns the words. */
export function recount() {
  const words = `${rows.rows.length} ${section.dataset.noun ?? "key"}(s)`;
  section.querySelector("[data-count]").textContent = words;
  table.hidden = rows.rows.length === 0;
  section.querySelector("[data-empty]").hidden = rows.rows.length > 0;
  return words;
}

/** A successor whose predecessor lives offers to finish the rotation; any other key offers to begin one. */
function offerFinish(row) {
  const begun = Boolean(row.dataset.predecessor);
  for (const button of row.querySelectorAll("[data-action=finish], [data-action=rotate]")) {
    button.hidden = (button.dataset.action === "finish") !== begun;
  }
}

export function addRow(made) {
  const row = document.getElementById("key-row").content.firstElementChild.cloneNode(true);
  const start = `${made.prefix}${made.lookup_id}`;
  Object.assign(row.dataset, { id: made.id, label: made.label, start });
  row.setAttribute("data-sort-label", made.label.toLowerCase());
  row.setAttribute("data-sort-created_at", made.created_at);
  row.setAttribute("data-sort-last_used_at", "");
  if (made.predecessor_id) row.dataset.predecessor = made.predecessor_id;
  offerFinish(row);
  fill(row, {
    label: made.label, start: `${start}…`, minter: section.dataset.person, created_at: moment(made.created_at),
    expires_at: made.expires_at ? moment(made.expires_at) : "never", last_used_at: moment(null), last_used_ip: "",
  });
  for (const earlier of rows.querySelectorAll(".arrived")) earlier.classList.remove("arrived");
  row.classList.add("arrived");
  rows.prepend(row);
  return row;
}

export function rowOf(id) {
  return rows.querySelector(`tr[data-id="${CSS.escape(id)}"]`);
}

/** Takes the row away and moves the focus to its neighbour, or to the button that makes a key. */
export function removeRow(row) {
  const neighbour = row.nextElementSibling ?? row.previousElementSibling;
  for (const heir of rows.querySelectorAll(`tr[data-predecessor="${CSS.escape(row.dataset.id)}"]`)) {
    delete heir.dataset.predecessor;
    offerFinish(heir);
  }
  row.remove();
  const words = recount();
  const place = neighbour?.querySelector("[data-action=revoke]") ?? document.getElementById("new-key") ?? document.getElementById("main");
  place.focus();
  return words;
}
