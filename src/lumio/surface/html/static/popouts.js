/** The page of popout tokens: make, edit, revoke. The list changes only when the server has agreed. */
import { announce } from "./announce.js";
import { ask, onceKeys, Problem } from "./api.js";
import { openDialog, unlessCancelled } from "./dialog.js";
import { expiry, watchExpiry } from "./expiry.js";
import { fill, recount, removeRow, tableOfKeys } from "./key_rows.js";
import { tellReach } from "./reach.js";
import { reveal } from "./reveal.js";
import { sortable } from "./sorting.js";
import { withProof } from "./step_up.js";
import { moment } from "./time.js";
import { visible } from "./visible.js";

const section = document.getElementById("keys");
const path = (row) => `/api/tokens/${encodeURIComponent(row.dataset.id)}`;
const boxes = (form) => [...form.querySelectorAll("input[name=permission]")];

function chosen(form) {
  const names = boxes(form).filter((box) => box.checked).map((box) => box.value);
  if (names.length) return names;
  throw new Problem(422, { errors: [{ field: "permissions", message: "Choose at least one." }] });
}

function codes(names) {
  const all = document.createDocumentFragment();
  for (const name of names) all.append(Object.assign(document.createElement("code"), { textContent: name }), " ");
  return all;
}

/** Writes what can change into a row, for people and for the next edit. */
function describe(row, popout) {
  const label = visible(popout.label);
  Object.assign(row.dataset, { label, plain: popout.label, permissions: popout.permissions.join(" ") });
  row.setAttribute("data-sort-label", label.toLowerCase());
  fill(row, { label: popout.label, permissions: codes(popout.permissions) });
}

function addRow(made) {
  const row = document.getElementById("key-row").content.firstElementChild.cloneNode(true);
  const start = `${made.prefix}${made.lookup_id}`;
  Object.assign(row.dataset, { id: made.id, start });
  row.setAttribute("data-sort-created_at", made.created_at);
  row.setAttribute("data-sort-last_used_at", "");
  describe(row, made);
  fill(row, {
    start: `${start}…`, member: made.member.name, maker: section.dataset.person, created_at: moment(made.created_at),
    expires_at: made.expires_at ? moment(made.expires_at) : "never", last_used_at: moment(null), last_used_ip: "",
  });
  const rows = tableOfKeys.querySelector("[data-rows]");
  for (const earlier of rows.querySelectorAll(".arrived")) earlier.classList.remove("arrived");
  row.classList.add("arrived");
  rows.prepend(row);
}

/** The reveal shows the token as an address takes it; its plain copy is forgotten before the dialog opens. */
async function show(made) {
  const before = "?token=";
  const ready = { key: `${before}${made.token}`, prefix: `${before}${made.prefix}`, lookup_id: made.lookup_id };
  made.token = "";
  await reveal(ready);
}

async function create() {
  const once = onceKeys();
  const opened = Date.now();
  const made = await openDialog("create-popout", {
    words: "Creating…",
    act: (form) => {
      const body = { label: form.elements.label.value.trim(), permissions: chosen(form), ...expiry(form, opened) };
      if (form.elements.member_id) body.member_id = form.elements.member_id.value;
      return withProof(() => ask("POST", "/api/tokens", body, { once: once(body) }));
    },
  });
  addRow(made);
  const count = recount();
  await show(made);
  announce(`Popout token ${visible(made.label)} added. ${count}.`);
}

/** What the person lacks can be taken away, never added. */
function load(form, row) {
  const held = row.dataset.permissions.split(" ");
  form.elements.label.value = row.dataset.plain;
  for (const box of boxes(form)) {
    box.checked = held.includes(box.value);
    box.disabled = "lacking" in box.dataset && !box.checked;
  }
}

async function edit(row) {
  load(document.querySelector("#edit-popout form"), row);
  const changed = await openDialog("edit-popout", {
    words: "Saving…",
    keep: true,
    act: (form) => {
      const body = { label: form.elements.label.value.trim(), permissions: chosen(form) };
      return withProof(() => ask("PATCH", path(row), body));
    },
  });
  describe(row, changed);
  announce(`Popout token ${visible(changed.label)} changed.`);
}

async function revoke(row) {
  const dialog = document.getElementById("revoke-popout");
  dialog.querySelector("[data-name]").textContent = row.dataset.label;
  dialog.querySelector("[data-start]").textContent = `${row.dataset.start}…`;
  const answer = await openDialog("revoke-popout", {
    words: "Revoking…",
    act: () => withProof(() => ask("DELETE", path(row))),
  });
  removeRow(row);
  tellReach(answer, `Popout token ${row.dataset.label} revoked.`, recount);
}

const ACTS = { edit, revoke };

document.addEventListener("click", (event) => {
  if (event.target.closest("#new-key, [data-new-key]")) unlessCancelled(create);
  const button = event.target.closest("[data-rows] button[data-action]");
  if (button) unlessCancelled(() => ACTS[button.dataset.action](button.closest("tr")));
});

const creation = document.querySelector("#create-popout form");
if (creation) watchExpiry(creation);
sortable(tableOfKeys);
