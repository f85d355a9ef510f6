/** Copies text and says in words whether it worked; where the clipboard is refused, selects the text and says what to press. */
export const SHORTCUT = /mac|iphone|ipad/i.test(navigator.userAgent) ? "⌘C" : "Ctrl+C";

export function selectAll(element) {
  getSelection().selectAllChildren(element);
}

export async function copyText(text, shown) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    shown.focus();
    selectAll(shown);
    return false;
  }
}

/** Buttons `data-copy` beside a command. */
export async function copyCommand(button) {
  const word = button.querySelector("[data-copy-word]");
  const done = await copyText(button.dataset.copy, button.parentElement.querySelector("code"));
  word.textContent = done ? "Copied" : `Press ${SHORTCUT}`;
  setTimeout(() => { word.textContent = "Copy"; }, 4000);
  return done ? "Copied." : `The browser refused to copy. The command is selected: press ${SHORTCUT}.`;
}
