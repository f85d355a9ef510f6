/** Rows and counts of the team's tables: a row changes or goes only when the server has agreed. */
import { visible } from "./visible.js";

export const capital = (word) => word.charAt(0).toUpperCase() + word.slice(1);

/** Writes texts into `data-slot`s; a value that is a node is put in as it is. */
export function fill(row, values) {
  for (const [name, value] of Object.entries(values)) {
    for (const slot of row.querySelectorAll(`[data-slot="${name}"]`)) {
      slot.replaceChildren(value instanceof Node ? value.cloneNode(true) : visible(value));
    }
  }
}

export function recount(section) {
  const rows = section.querySelector("[data-rows]").rows.length;
  const count = section.querySelector("[data-count]");
  count.textContent = `${rows} ${count.dataset.count}`;
  section.querySelector("table").hidden = rows === 0;
  section.querySelector("[data-empty]")?.toggleAttribute("hidden", rows > 0);
  return count.textContent;
}

/** Says how many are still withheld; the note goes with the last of them. */
export function recountWithheld() {
  const note = document.getElementById("withheld-note");
  const left = document.querySelectorAll("[data-withheld]").length;
  if (!left) note?.remove();
  else note.querySelector("[data-slot=withheld]").textContent = left;
}

export function addRow(section, templateId, made, values) {
  const row = document.getElementById(templateId).content.firstElementChild.cloneNode(true);
  row.dataset.id = made.id;
  fill(row, values);
  const rows = section.querySelector("[data-rows]");
  for (const earlier of rows.querySelectorAll(".arrived")) earlier.classList.remove("arrived");
  row.classList.add("arrived");
  rows.prepend(row);
  return row;
}

/** Takes the row away and moves the focus to its neighbour, or to the heading of the page. */
export function removeRow(section, row) {
  const neighbour = row.nextElementSibling ?? row.previousElementSibling;
  row.remove();
  (neighbour?.querySelector("td.last button") ?? document.getElementById("main")).focus();
  return recount(section);
}
