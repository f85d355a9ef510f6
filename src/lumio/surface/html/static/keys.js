/** The page of keys: make, rotate, revoke. The list changes only when the server has agreed. */
import { announce } from "./announce.js";
import { ask, onceKeys } from "./api.js";
import { openDialog, unlessCancelled } from "./dialog.js";
import { expiry, watchExpiry } from "./expiry.js";
import { addRow, recount, removeRow, rowOf, tableOfKeys } from "./key_rows.js";
import { finishRotation } from "./key_rotation.js";
import { tellReach } from "./reach.js";
import { reveal } from "./reveal.js";
import { sortable } from "./sorting.js";
import { withProof } from "./step_up.js";
import { visible } from "./visible.js";

async function create() {
  const once = onceKeys();
  const opened = Date.now();
  const made = await openDialog("create-key", {
    words: "Creating…",
    act: (form) => {
      const body = { label: form.elements.label.value.trim(), ...expiry(form, opened) };
      return withProof(() => ask("POST", "/api/api-keys", body, { once: once(body) }));
    },
  });
  addRow(made);
  const count = recount();
  await reveal(made);
  announce(`Key ${visible(made.label)} added. ${count}.`);
}

function name(dialogId, row) {
  const dialog = document.getElementById(dialogId);
  dialog.querySelector("[data-name]").textContent = visible(row.dataset.label);
  dialog.querySelector("[data-start]").textContent = `${row.dataset.start}…`;
}

async function rotate(row) {
  const once = onceKeys();
  name("rotate-key", row);
  const path = `/api/api-keys/${encodeURIComponent(row.dataset.id)}/rotate`;
  const made = await openDialog("rotate-key", {
    words: "Creating…",
    act: () => withProof(() => ask("POST", path, {}, { once: once(path) })),
  });
  const successor = addRow({ ...made, key: "", predecessor_id: made.predecessor_id ?? row.dataset.id });
  recount();
  await reveal(made);
  await finish(successor);
}

async function finish(successor) {
  const old = rowOf(successor.dataset.predecessor);
  if (!old) return;
  const answer = await finishRotation(old, successor);
  removeRow(old);
  tellReach(answer, `Old key of ${visible(old.dataset.label)} revoked.`, recount);
}

async function revoke(row) {
  name("revoke-key", row);
  const answer = await openDialog("revoke-key", {
    words: "Revoking…",
    act: () => withProof(() => ask("DELETE", `/api/api-keys/${encodeURIComponent(row.dataset.id)}`)),
  });
  removeRow(row);
  tellReach(answer, `Key ${visible(row.dataset.label)} revoked.`, recount);
}

const ACTS = { rotate, revoke, finish };

document.addEventListener("click", (event) => {
  if (event.target.closest("#new-key, [data-new-key]")) unlessCancelled(create);
  const button = event.target.closest("[data-rows] button[data-action]");
  if (button) unlessCancelled(() => ACTS[button.dataset.action](button.closest("tr")));
});

watchExpiry(document.querySelector("#create-key form"));
sortable(tableOfKeys);
