/** The plan of a departure: what ends with it, read from the server each time before the question is asked. */
import { ask } from "./api.js";
import { moment } from "./time.js";
import { visible } from "./visible.js";

function line(item, start) {
  const li = document.createElement("li");
  const label = Object.assign(document.createElement("b"), { textContent: visible(item.label) });
  const code = Object.assign(document.createElement("code"), { textContent: start });
  const used = item.last_used_at ? [" last used ", moment(item.last_used_at), ` from ${visible(item.last_used_ip ?? "nowhere known")}`] : [" never used"];
  li.append(label, " ", code, ...used);
  return li;
}

function part(title, items) {
  const heading = Object.assign(document.createElement("h3"), { textContent: `${items.length} ${title}` });
  const list = document.createElement("ul");
  for (const item of items) list.append(line(item, `${item.prefix}${item.lookup_id}…`));
  return [heading, list];
}

/** Fills the dialog's plan. Keys for others are among them: whoever leaves has seen the secrets. */
export async function showPlan(dialog, account, member) {
  const plan = await ask("GET", `/api/accounts/${encodeURIComponent(account)}/members/${encodeURIComponent(member)}/departure`);
  const parts = [["developer key(s)", plan.api_keys], ["popout token(s)", plan.popout_tokens]].filter(([, items]) => items.length);
  const nothing = Object.assign(document.createElement("p"), { textContent: "No key and no popout token." });
  dialog.querySelector("[data-plan]").replaceChildren(...(parts.length ? parts.flatMap(([title, items]) => part(title, items)) : [nothing]));
}
