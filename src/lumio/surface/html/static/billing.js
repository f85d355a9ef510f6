/** Account → Billing: the whole of the details is sent; a secret that stays empty is left out, and stays. */
import { announce } from "./announce.js";
import { ask } from "./api.js";
import { busy, Cancelled } from "./dialog.js";
import { checkForm, showProblem } from "./problem.js";
import { withProof } from "./step_up.js";
import { moment } from "./time.js";

const section = document.getElementById("billing");
const form = section.querySelector("form");
const PLAIN = ["legal_name", "address_line1", "address_line2", "postal_code", "city", "region", "country", "currency", "payout_method"];
const path = `/api/accounts/${encodeURIComponent(section.dataset.account)}/billing`;

function details() {
  const body = Object.fromEntries(PLAIN.map((name) => [name, form.elements[name].value.trim()]));
  body.country = body.country.toUpperCase();
  const tax = form.elements.tax_id.value.trim(), account = form.elements.payout_account.value.trim();
  if (form.elements.no_tax_id?.checked) body.tax_id = null;
  else if (tax) body.tax_id = tax;
  if (account) body.payout_account = account;
  return body;
}

/** Secrets leave the fields; what is kept of them stands masked beside. */
function show(kept) {
  for (const name of ["tax_id", "payout_account"]) {
    form.elements[name].value = "";
    form.elements[name].required = false;
    const hint = document.getElementById(`billing-${name}-hint`);
    if (kept[name]) hint.textContent = `Now ${kept[name]}. Leave it empty to keep it.`;
    else hint.textContent = "4 to 32 letters and digits.";
  }
  form.elements.country.value = kept.country;
  section.querySelector("[data-slot=updated_at]").replaceChildren(moment(kept.updated_at));
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (!checkForm(form)) return;
  try {
    const body = details();
    show(await busy(form.querySelector("[type=submit]"), "Saving…", () => withProof(() => ask("PUT", path, body))));
    announce("The billing details are saved.");
  } catch (problem) {
    if (!(problem instanceof Cancelled)) showProblem(form, problem);
  }
});
