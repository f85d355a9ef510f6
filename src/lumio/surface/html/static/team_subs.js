/** Sub-accounts on the page of a team: make one, make a key for it, delete it with its keys. */
import { announce } from "./announce.js";
import { ask, onceKeys } from "./api.js";
import { showPlan } from "./departure.js";
import { openDialog } from "./dialog.js";
import { expiry, watchExpiry } from "./expiry.js";
import { tellReach } from "./reach.js";
import { reveal } from "./reveal.js";
import { withProof } from "./step_up.js";
import { addRow, capital, recount, recountWithheld, removeRow } from "./team_rows.js";
import { moment } from "./time.js";
import { visible } from "./visible.js";

const subs = document.getElementById("subs");
const home = (account) => `/api/accounts/${encodeURIComponent(account)}/sub-accounts`;

function name(id, row) {
  const dialog = document.getElementById(id);
  dialog.querySelector("[data-name]").textContent = row.dataset.name;
  return dialog;
}

export async function createSub(account, chosen) {
  const once = onceKeys();
  const made = await openDialog("create-sub", {
    words: "Creating…",
    act: (form) => {
      const body = { name: form.elements.name.value.trim(), role: chosen(form) };
      return withProof(() => ask("POST", home(account), body, { once: once(body) }));
    },
  });
  const row = addRow(subs, "sub-row", made, { name: made.name, role: capital(made.role), created_at: moment(made.created_at) });
  Object.assign(row.dataset, { name: visible(made.name), role: made.role });
  announce(`Sub-account ${visible(made.name)} added. ${recount(subs)}.`);
}

export async function mint(row) {
  const once = onceKeys();
  const opened = Date.now();
  name("mint-key", row);
  const made = await openDialog("mint-key", {
    words: "Creating…",
    act: (form) => {
      const body = { label: form.elements.label.value.trim(), sub_account_id: row.dataset.id, ...expiry(form, opened) };
      return withProof(() => ask("POST", "/api/api-keys", body, { once: once(body) }));
    },
  });
  await reveal(made);
  announce(`Key ${visible(made.label)} for ${row.dataset.name} added. It stands under API Keys.`);
}

export async function deleteSub(row, account) {
  await showPlan(name("delete-sub", row), account, row.dataset.id);
  const gone = await openDialog("delete-sub", {
    words: "Deleting…",
    act: () => withProof(() => ask("DELETE", `${home(account)}/${encodeURIComponent(row.dataset.id)}`)),
  });
  removeRow(subs, row);
  recountWithheld();
  const said = `Sub-account ${row.dataset.name} deleted; ${gone.api_keys} key(s) ended.`;
  tellReach(gone, said, () => recount(subs), "All of it");
}

const minting = document.querySelector("#mint-key form");
if (minting) watchExpiry(minting);
