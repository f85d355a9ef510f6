/** The page of people: admin roles, suspend, reinstate. A row changes only when the server has agreed. */
import { codes, knownRoles, moved } from "./admin_roles.js";
import { announce } from "./announce.js";
import { ask } from "./api.js";
import { openDialog, unlessCancelled } from "./dialog.js";
import { withProof } from "./step_up.js";
import { moment } from "./time.js";

const people = document.querySelector("[data-people]");
const rolesOf = (row) => row.dataset.roles.split(" ").filter(Boolean);

function change(row, body) {
  return withProof(() => ask("PATCH", `/api/admin/users/${encodeURIComponent(row.dataset.id)}`, body));
}

function name(dialog, row) {
  dialog.querySelector("[data-name]").textContent = row.dataset.name;
  dialog.querySelector("[data-email]").textContent = row.dataset.email;
}

function showRoles(row, names) {
  row.dataset.roles = names.join(" ");
  row.querySelector("[data-slot=roles]").replaceChildren(codes(names));
}

function showState(row, person) {
  const state = person.suspended_at ? "suspended" : person.verified ? "active" : "unverified";
  const slot = row.querySelector("[data-slot=state]");
  slot.replaceChildren(document.getElementById(`state-${state}`).content.cloneNode(true));
  if (person.suspended_at) {
    const since = Object.assign(document.createElement("span"), { className: "sub" });
    since.append(moment(person.suspended_at));
    slot.append(" ", since);
  }
  row.toggleAttribute("data-suspended", Boolean(person.suspended_at));
  row.querySelector("[data-action=suspend]").hidden = Boolean(person.suspended_at);
  row.querySelector("[data-action=reinstate]").hidden = !person.suspended_at;
}

/** One box per role; a role that the person at the screen does not hold whole can be neither given nor taken. */
function tick(role, held) {
  const box = document.getElementById("role-tick").content.firstElementChild.cloneNode(true);
  const input = box.querySelector("input");
  Object.assign(input, { value: role.name, checked: held.includes(role.name), disabled: role.missing !== "" });
  box.querySelector("[data-slot=name]").textContent = role.name;
  if (role.missing) box.querySelector("[data-slot=why]").textContent = `Above your own role: you do not hold ${role.missing}.`;
  return box;
}

async function roles(row) {
  const dialog = document.getElementById("user-roles");
  const before = rolesOf(row);
  name(dialog, row);
  dialog.querySelector("[data-ticks]").replaceChildren(...knownRoles().map((role) => tick(role, before)));
  const changed = await openDialog("user-roles", {
    words: "Saving…",
    keep: true,
    act: (form) => {
      const chosen = [...form.querySelectorAll("input[name=admin_role]:checked")].map((box) => box.value);
      return change(row, { admin_roles: chosen });
    },
  });
  moved(before, changed.admin_roles);
  showRoles(row, changed.admin_roles);
  announce(`Admin roles of ${row.dataset.name}: ${changed.admin_roles.join(", ") || "none"}.`);
}

async function suspend(row) {
  name(document.getElementById("suspend-user"), row);
  showState(row, await openDialog("suspend-user", { words: "Suspending…", act: () => change(row, { suspended: true }) }));
  row.querySelector("[data-action=reinstate]").focus();
  announce(`${row.dataset.name} is suspended and signed out everywhere.`);
}

async function reinstate(row) {
  name(document.getElementById("reinstate-user"), row);
  showState(row, await openDialog("reinstate-user", { words: "Reinstating…", act: () => change(row, { suspended: false }) }));
  row.querySelector("[data-action=suspend]").focus();
  announce(`${row.dataset.name} is reinstated.`);
}

const ACTS = { roles, suspend, reinstate };

people?.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-action]");
  if (button) unlessCancelled(() => ACTS[button.dataset.action](button.closest("tr")));
});

document.addEventListener("role-renamed", ({ detail }) => {
  for (const row of people?.rows ?? []) {
    const held = rolesOf(row);
    if (held.includes(detail.before)) showRoles(row, held.map((one) => (one === detail.before ? detail.after : one)).sort());
  }
});
