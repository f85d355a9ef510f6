/** The list of extensions: makes a new one and goes to its page. */
import { ask, onceKeys } from "./api.js";
import { openDialog, unlessCancelled } from "./dialog.js";
import { withProof } from "./step_up.js";

const FIELDS = ["name", "slug", "description", "category"];

function written(form) {
  const filled = FIELDS.map((name) => [name, form.elements[name].value.trim()]).filter(([, value]) => value);
  return Object.fromEntries(filled);
}

async function create() {
  const once = onceKeys();
  const made = await openDialog("create-extension", {
    words: "Creating…",
    act: (form) => {
      const body = written(form);
      return withProof(() => ask("POST", "/api/extensions", body, { once: once(body) }));
    },
  });
  location.assign(`/dashboard/extensions/${encodeURIComponent(made.id)}`);
}

document.addEventListener("click", (event) => {
  if (event.target.closest("#new-extension, [data-new-extension]")) unlessCancelled(create);
});
