/** The page of system keys: create and revoke. The list changes only when the server has agreed. */
import { announce } from "./announce.js";
import { ask, onceKeys } from "./api.js";
import { openDialog, unlessCancelled } from "./dialog.js";
import { fill, recount, removeRow, tableOfKeys } from "./key_rows.js";
import { tellReach } from "./reach.js";
import { reveal } from "./reveal.js";
import { sortable } from "./sorting.js";
import { withProof } from "./step_up.js";
import { moment } from "./time.js";
import { visible } from "./visible.js";

const PREFIX = "lm_sys_";

function shown(permissions) {
  const all = document.createDocumentFragment();
  for (const name of permissions) all.append(Object.assign(document.createElement("code"), { textContent: name }), " ");
  return permissions.length ? all : document.getElementById("no-permission").content;
}

function addRow(made) {
  const row = document.getElementById("key-row").content.firstElementChild.cloneNode(true);
  Object.assign(row.dataset, { id: made.id, label: visible(made.label) });
  row.setAttribute("data-sort-label", visible(made.label).toLowerCase());
  row.setAttribute("data-sort-created_at", made.created_at);
  row.setAttribute("data-sort-last_used_at", "");
  fill(row, {
    label: made.label, permissions: shown(made.permissions), created_at: moment(made.created_at), last_used_at: moment(null),
  });
  const rows = tableOfKeys.querySelector("[data-rows]");
  for (const earlier of rows.querySelectorAll(".arrived")) earlier.classList.remove("arrived");
  row.classList.add("arrived");
  rows.prepend(row);
}

async function create() {
  const once = onceKeys();
  const made = await openDialog("create-key", {
    words: "Creating…",
    act: (form) => {
      const body = { label: form.elements.label.value.trim() };
      return withProof(() => ask("POST", "/api/system-keys", body, { once: once(body) }));
    },
  });
  addRow(made);
  const count = recount();
  made.prefix = PREFIX;
  await reveal(made);
  announce([`Key ${visible(made.label)} created. ${count}.`, ...made.warnings].join(" "));
}

async function revoke(row) {
  document.querySelector("#revoke-key [data-name]").textContent = row.dataset.label;
  const answer = await openDialog("revoke-key", {
    words: "Revoking…",
    act: () => withProof(() => ask("DELETE", `/api/system-keys/${encodeURIComponent(row.dataset.id)}`)),
  });
  removeRow(row);
  tellReach(answer, `Key ${row.dataset.label} revoked.`, recount);
}

document.addEventListener("click", (event) => {
  if (event.target.closest("#new-key, [data-new-key]")) unlessCancelled(create);
  const button = event.target.closest("[data-rows] button[data-action=revoke]");
  if (button) unlessCancelled(() => revoke(button.closest("tr")));
});

sortable(tableOfKeys);
