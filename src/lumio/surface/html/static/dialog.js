/** One way to open every dialog: focus in the first field, Enter submits, Escape cancels, focus returns. */
import { checkForm, clearProblem, showProblem } from "./problem.js";

/** The person turned away from a question; nothing happened and nothing is to be said. */
export class Cancelled extends Error {}

/** Disables the button and shows `words` in it while `work` runs, so that nothing is sent twice. */
export async function busy(button, words, work) {
  const before = [...button.childNodes];
  button.style.minWidth = `${button.offsetWidth}px`;
  button.disabled = true;
  button.replaceChildren(words);
  try {
    return await work();
  } finally {
    button.replaceChildren(...before);
    button.disabled = false;
    button.style.minWidth = "";
  }
}

function firstField(dialog) {
  return dialog.querySelector("[autofocus]") ?? dialog.querySelector("input:not([readonly], [type=hidden]), select, textarea") ?? dialog.querySelector("[data-close]");
}

/**
 * Opens the dialog with this id and waits. `act(form)` runs on submit; its result closes the dialog and is returned.
 * A refusal is shown in the dialog and the person may try again; closing throws `Cancelled`.
 */
export function openDialog(id, { words, act, keep = false, problemField = null }) {
  const dialog = document.getElementById(id);
  const form = dialog.querySelector("form");
  const opener = document.activeElement;
  if (!keep) form.reset();
  clearProblem(form);
  return new Promise((resolve, reject) => {
    const listening = new AbortController();
    const on = (target, name, heard) => target.addEventListener(name, heard, { signal: listening.signal });
    let outcome;
    let acting = false;
    on(dialog, "click", (event) => { if (event.target.closest("[data-close]") && !acting) dialog.close(); });
    on(dialog, "cancel", (event) => { if (acting) event.preventDefault(); });
    on(form, "submit", async (event) => {
      event.preventDefault();
      if (acting || !checkForm(form)) return;
      acting = true;
      try {
        outcome = { value: await busy(form.querySelector("[type=submit]"), words, () => act(form)) };
        dialog.close();
      } catch (problem) {
        if (!(problem instanceof Cancelled)) showProblem(form, problem, problemField);
      } finally {
        acting = false;
      }
    });
    on(dialog, "close", () => {
      // A second Escape shuts a dialog whatever the page says; an act under way must keep its place to answer.
      if (acting) { dialog.showModal(); return; }
      listening.abort();
      form.reset();
      if (opener?.isConnected) opener.focus();
      if (outcome) resolve(outcome.value);
      else reject(new Cancelled());
    });
    dialog.showModal();
    firstField(dialog)?.focus();
  });
}

/** Swallows `Cancelled`, and nothing else. */
export async function unlessCancelled(work) {
  try {
    return await work();
  } catch (problem) {
    if (problem instanceof Cancelled) return undefined;
    throw problem;
  }
}
