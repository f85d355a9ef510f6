/**
 * Shows a new key once. It cannot be lost by accident: Escape and a press beside the dialog do nothing, only Dismiss
 * closes, and leaving the page warns until the key is copied. On Dismiss the key leaves the page.
 */
import { copyText, selectAll, SHORTCUT } from "./copy.js";

const HIDDEN_SIGNS = "…";

function write(dialog, made) {
  const prefix = document.createElement("b");
  prefix.textContent = made.key.slice(0, made.prefix.length);
  dialog.querySelector("[data-key]").replaceChildren(prefix, made.key.slice(made.prefix.length));
  const masked = dialog.querySelector("[data-masked]");
  if (masked) masked.textContent = `${made.prefix}${made.lookup_id}${HIDDEN_SIGNS}`;
}

function wipe(dialog) {
  for (const place of dialog.querySelectorAll("[data-key], [data-masked], [data-copied]")) place.replaceChildren();
  getSelection().removeAllRanges();
}

export function reveal(made) {
  const dialog = document.getElementById("reveal");
  const box = dialog.querySelector("[data-key]");
  const said = dialog.querySelector("[data-copied]");
  const listening = new AbortController();
  const on = (target, name, heard) => target.addEventListener(name, heard, { signal: listening.signal });
  let secret = made.key;
  let copied = false;
  let dismissed = false;
  const note = (done) => {
    copied ||= done;
    said.toggleAttribute("data-refused", !done);
    said.textContent = done ? "Copied." : `The browser refused to copy. The key is selected: press ${SHORTCUT}.`;
  };
  write(dialog, made);
  return new Promise((resolve) => {
    on(window, "beforeunload", (event) => { if (!copied) event.preventDefault(); });
    on(dialog, "keydown", (event) => { if (event.key === "Escape") event.preventDefault(); });
    on(dialog, "cancel", (event) => event.preventDefault());
    on(dialog.querySelector("form"), "submit", (event) => event.preventDefault());
    on(box, "focus", () => selectAll(box));
    on(box, "copy", () => note(true));
    on(dialog.querySelector("[data-copy-key]"), "click", async () => note(await copyText(secret, box)));
    on(dialog.querySelector("[data-dismiss]"), "click", () => {
      dismissed = true;
      secret = "";
      made.key = "";
      wipe(dialog); // at once: the event of closing comes later
      dialog.close();
    });
    on(dialog, "close", () => {
      if (!dismissed) { dialog.showModal(); return; }
      listening.abort();
      resolve();
    });
    dialog.showModal();
    dialog.querySelector("[data-copy-key]").focus();
  });
}
