/** The page of one extension: publishes a draft and shows at once which version is now current. */
import { announce } from "./announce.js";
import { ask, onceKeys } from "./api.js";
import { openDialog, unlessCancelled } from "./dialog.js";
import { withProof } from "./step_up.js";
import { moment } from "./time.js";
import { visible } from "./visible.js";

const section = document.getElementById("versions");
const current = () => section.querySelector('tr[data-status="published"]');

function setState(row, word) {
  row.dataset.status = word;
  row.querySelector('[data-slot="status"]').replaceChildren(document.getElementById(`state-${word}`).content.cloneNode(true));
}

function settle(row, publishedAt) {
  const before = current();
  if (before) setState(before, "superseded");
  setState(row, "published");
  row.querySelector('[data-slot="published_at"]').replaceChildren(moment(publishedAt));
  row.querySelector("[data-action]").remove();
  document.getElementById("main").focus();
}

async function publish(row) {
  const dialog = document.getElementById("publish-version");
  dialog.querySelector("[data-name]").textContent = visible(row.dataset.version);
  const before = current();
  dialog.querySelector("[data-effect]").textContent = before ? `Version ${visible(before.dataset.version)} is then superseded.` : "It is the first version that people can get.";
  const once = onceKeys();
  const path = `/api/extensions/${encodeURIComponent(section.dataset.extension)}/versions/${encodeURIComponent(row.dataset.id)}/publish`;
  const answer = await openDialog("publish-version", {
    words: "Publishing…",
    act: () => withProof(() => ask("POST", path, {}, { once: once(path) })),
  });
  settle(row, answer.published_at ?? answer.publishedAt ?? new Date().toISOString());
  announce(`Version ${visible(row.dataset.version)} is published.`);
}

section.addEventListener("click", (event) => {
  const button = event.target.closest("[data-action=publish]");
  if (button) unlessCancelled(() => publish(button.closest("tr")));
});
