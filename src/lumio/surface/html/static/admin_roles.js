/** The card of admin roles: make, edit, delete. Its rows are the page's one list of roles; others read them here. */
import { announce } from "./announce.js";
import { ask, onceKeys, Problem } from "./api.js";
import { openDialog, unlessCancelled } from "./dialog.js";
import { withProof } from "./step_up.js";

const section = document.getElementById("roles");
const rows = section?.querySelector("[data-roles]");
const path = (row) => `/api/admin/roles/${encodeURIComponent(row.dataset.id)}`;
const boxes = (form) => [...form.querySelectorAll("input[name=permission]")];

/** Every role that there is, as a person may be given it. */
export function knownRoles() {
  return [...rows.rows].map((row) => ({ name: row.dataset.name, missing: row.dataset.missing }));
}

export function codes(names) {
  const all = document.createDocumentFragment();
  for (const name of names) all.append(Object.assign(document.createElement("code"), { textContent: name }), " ");
  return names.length ? all : document.getElementById("no-role").content.cloneNode(true);
}

function put(row, slot, content) {
  for (const place of row.querySelectorAll(`[data-slot="${slot}"]`)) place.replaceChildren(content);
}

/** Counts again who holds what, after the roles of a person changed from one list to another. */
export function moved(before, after) {
  for (const row of rows?.rows ?? []) {
    const step = after.includes(row.dataset.name) - before.includes(row.dataset.name);
    row.dataset.holders = String(Number(row.dataset.holders) + step);
    put(row, "holders", row.dataset.holders);
  }
}

function describe(row, role) {
  Object.assign(row.dataset, {
    id: role.id, name: role.name, permissions: role.permissions.join(" "), missing: role.missing[0] ?? "", holders: role.holders,
  });
  put(row, "name", role.name);
  put(row, "permissions", codes(role.permissions));
  put(row, "holders", String(role.holders));
}

function recount() {
  const words = `${rows.rows.length} role(s)`;
  section.querySelector("[data-count]").textContent = words;
  return words;
}

function chosen(form) {
  const names = boxes(form).filter((box) => box.checked).map((box) => box.value);
  if (names.length) return names;
  throw new Problem(422, { errors: [{ field: "permissions", message: "Choose at least one." }] });
}

const written = (form) => ({ name: form.elements.name.value.trim(), permissions: chosen(form) });

async function create() {
  const once = onceKeys();
  const made = await openDialog("create-role", {
    words: "Creating…",
    act: (form) => {
      const body = written(form);
      return withProof(() => ask("POST", "/api/admin/roles", body, { once: once(body) }));
    },
  });
  const row = document.getElementById("role-row").content.firstElementChild.cloneNode(true);
  describe(row, made);
  row.classList.add("arrived");
  rows.append(row);
  announce(`Role ${made.name} created. ${recount()}.`);
}

async function edit(row) {
  const dialog = document.getElementById("edit-role");
  const form = dialog.querySelector("form");
  const before = row.dataset.name;
  dialog.querySelector("[data-holders]").textContent = row.dataset.holders;
  form.elements.name.value = before;
  for (const box of boxes(form)) box.checked = row.dataset.permissions.split(" ").includes(box.value);
  const changed = await openDialog("edit-role", {
    words: "Saving…",
    keep: true,
    act: () => {
      const body = written(form);
      return withProof(() => ask("PATCH", path(row), body));
    },
  });
  describe(row, changed);
  document.dispatchEvent(new CustomEvent("role-renamed", { detail: { before, after: changed.name } }));
  announce(`Role ${changed.name} changed.`);
}

async function remove(row) {
  document.querySelector("#delete-role [data-name]").textContent = row.dataset.name;
  await openDialog("delete-role", { words: "Deleting…", act: () => withProof(() => ask("DELETE", path(row))) });
  row.remove();
  document.getElementById("new-role").focus();
  announce(`Role ${row.dataset.name} deleted. ${recount()}.`);
}

const ACTS = { edit, delete: remove };

section?.addEventListener("click", (event) => {
  if (event.target.closest("#new-role")) unlessCancelled(create);
  const button = event.target.closest("button[data-action]");
  if (button) unlessCancelled(() => ACTS[button.dataset.action](button.closest("tr")));
});
