/** The last step of a rotation: both keys' use side by side, and one press that revokes the old one. */
import { ask } from "./api.js";
import { openDialog } from "./dialog.js";
import { fill } from "./key_rows.js";
import { moment } from "./time.js";
import { withProof } from "./step_up.js";

const EVERY = 5000;

function showSide(side, row) {
  fill(side, { label: row.dataset.label, start: `${row.dataset.start}…` });
  for (const slot of ["created_at", "last_used_at", "last_used_ip"]) {
    const shown = row.querySelector(`[data-slot="${slot}"]`);
    const copies = shown.textContent ? [...shown.childNodes].map((node) => node.cloneNode(true)) : [moment(null, "nowhere")];
    side.querySelector(`[data-slot="${slot}"]`).replaceChildren(...copies);
  }
}

async function showUse(place, row) {
  const key = await ask("GET", `/api/api-keys/${encodeURIComponent(row.dataset.id)}`);
  fill(row, { last_used_at: moment(key.last_used_at), last_used_ip: key.last_used_ip });
  showSide(place, row);
  row.setAttribute("data-sort-last_used_at", key.last_used_at ?? "");
}

/** Looks again while the dialog is open; returns how to stop. */
function watch(dialog, pairs) {
  const said = dialog.querySelector("[data-watch]");
  said.textContent = "Looking every 5 seconds.";
  const look = async () => {
    try {
      await Promise.all(pairs.map(([side, row]) => showUse(side, row)));
    } catch (problem) {
      said.textContent = `The use cannot be read now: ${problem.message} Reload the page to see it.`;
      clearInterval(timer);
    }
  };
  const timer = setInterval(look, EVERY);
  look();
  return () => clearInterval(timer);
}

export async function finishRotation(old, successor) {
  const dialog = document.getElementById("compare-keys");
  const pairs = [["old", old], ["new", successor]].map(([name, row]) => [dialog.querySelector(`[data-side=${name}]`), row]);
  for (const [side, row] of pairs) showSide(side, row);
  const stop = watch(dialog, pairs);
  try {
    return await openDialog("compare-keys", {
      words: "Revoking…",
      act: () => withProof(() => ask("DELETE", `/api/api-keys/${encodeURIComponent(old.dataset.id)}`)),
    });
  } finally {
    stop();
  }
}
