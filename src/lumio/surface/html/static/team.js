/** Account → Team: invite, change roles, remove, leave, hand over; sub-accounts are in team_subs.js. */
import { announce } from "./announce.js";
import { ask, onceKeys, Problem } from "./api.js";
import { showPlan } from "./departure.js";
import { openDialog, unlessCancelled } from "./dialog.js";
import { tellReach } from "./reach.js";
import { withProof } from "./step_up.js";
import { createSub, deleteSub, mint } from "./team_subs.js";
import { addRow, capital, fill, recount, recountWithheld, removeRow } from "./team_rows.js";
import { moment } from "./time.js";
import { visible } from "./visible.js";

const people = document.getElementById("people");
const invites = document.getElementById("invites");
const account = people.dataset.account;
const home = `/api/accounts/${encodeURIComponent(account)}`;
const path = (row) => `${home}/members/${encodeURIComponent(row.dataset.id)}`;

function chosen(form) {
  const box = form.querySelector("input[name=role_choice]:checked");
  if (box) return box.value;
  throw new Problem(422, { errors: [{ field: "role", message: "Choose a role." }] });
}

function name(id, row) {
  const dialog = document.getElementById(id);
  for (const place of dialog.querySelectorAll("[data-name]")) place.textContent = row.dataset.name;
  return dialog;
}

async function invite() {
  const once = onceKeys();
  const made = await openDialog("invite", {
    words: "Sending…",
    act: (form) => {
      const body = { email: form.elements.email.value.trim(), role: chosen(form) };
      return withProof(() => ask("POST", `${home}/invites`, body, { once: once(body) }));
    },
  });
  for (const old of invites.querySelectorAll("[data-rows] tr")) {
    if (old.dataset.name.toLowerCase() === made.email.toLowerCase()) old.remove();
  }
  const row = addRow(invites, "invitation-row", made, {
    email: made.email, role: capital(made.role), invited_by: made.invited_by, expires_at: moment(made.expires_at),
  });
  row.dataset.name = visible(made.email);
  recount(invites);
  announce(`An invitation is on its way to ${visible(made.email)}.`);
}

async function withdraw(row) {
  name("withdraw-invite", row);
  await openDialog("withdraw-invite", {
    words: "Withdrawing…",
    act: () => withProof(() => ask("DELETE", `${home}/invites/${encodeURIComponent(row.dataset.id)}`)),
  });
  announce(`The invitation of ${row.dataset.name} is withdrawn. ${removeRow(invites, row)}.`);
}

async function role(row) {
  const dialog = name("change-role", row);
  dialog.querySelector(`input[value="${row.dataset.role}"]`).checked = true;
  const changed = await openDialog("change-role", {
    words: "Saving…",
    keep: true,
    act: (form) => {
      const body = { role: chosen(form) };
      return withProof(() => ask("PATCH", path(row), body));
    },
  });
  row.dataset.role = changed.role;
  fill(row, { role: capital(changed.role) });
  announce(`${row.dataset.name} is ${capital(changed.role)} now.`);
}

async function confirm(row) {
  name("confirm-member", row).querySelector("[data-role]").textContent = capital(row.dataset.role);
  const confirmed = await openDialog("confirm-member", {
    words: "Confirming…",
    act: () => withProof(() => ask("POST", `${path(row)}/confirm`)),
  });
  row.querySelector("[data-withheld]").remove();
  row.querySelector("[data-action=confirm]").remove();
  recountWithheld();
  (row.querySelector("td.last button") ?? document.getElementById("main")).focus();
  announce(`${row.dataset.name} is ${capital(confirmed.role)} here again.`);
}

async function remove(row) {
  await showPlan(name("remove-member", row), account, row.dataset.id);
  const gone = await openDialog("remove-member", { words: "Removing…", act: () => withProof(() => ask("DELETE", path(row))) });
  removeRow(people, row);
  recountWithheld();
  const said = `${row.dataset.name} is removed; ${gone.api_keys} key(s) and ${gone.popout_tokens} popout token(s) ended.`;
  tellReach(gone, said, () => recount(people), "All of it");
}

async function leave(row) {
  await showPlan(document.getElementById("leave-team"), account, row.dataset.id);
  await openDialog("leave-team", { words: "Leaving…", act: () => withProof(() => ask("DELETE", `${home}/members/me`)) });
  location.assign("/login");
}

async function hand() {
  await openDialog("hand-over", {
    words: "Handing over…",
    act: (form) => withProof(() => ask("POST", `${home}/transfer`, { member_id: form.elements.member_id.value })),
  });
  location.reload();
}

async function found() {
  const once = onceKeys();
  const made = await openDialog("create-account", {
    words: "Creating…",
    act: (form) => {
      const body = { name: form.elements.name.value.trim() };
      return ask("POST", "/api/accounts", body, { once: once(body) });
    },
  });
  await ask("POST", `/api/accounts/${encodeURIComponent(made.id)}/activate`);
  location.reload();
}

const ACTS = { role, confirm, remove, leave, hand, withdraw, mint: (row) => mint(row), delete: (row) => deleteSub(row, account) };
const OPENERS = { "invite-button": invite, "sub-button": () => createSub(account, chosen), "account-button": found };

/** Shows what went wrong before a dialog could open. */
async function carefully(work) {
  try {
    await unlessCancelled(work);
  } catch (problem) {
    announce(problem instanceof Problem ? problem.message : "Something went wrong in this page. Reload it to see how things stand.");
    if (!(problem instanceof Problem)) throw problem;
  }
}

document.addEventListener("click", (event) => {
  const opener = OPENERS[event.target.closest("button[id]")?.id];
  if (opener) carefully(opener);
  const button = event.target.closest("[data-rows] button[data-action]");
  if (button) carefully(() => ACTS[button.dataset.action](button.closest("tr")));
});
