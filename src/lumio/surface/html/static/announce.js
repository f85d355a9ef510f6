/** Says one sentence, to the eye at the foot of the page and to screen readers, politely. Said twice, it is heard twice. */
export const STAYS = 8000;
let leaving;

/** `stays` is how long it can be read (milliseconds); Infinity until the next sentence. */
export function announce(sentence, stays = STAYS) {
  const region = document.getElementById("announce");
  clearTimeout(leaving);
  if (region.textContent === sentence) {
    region.textContent = "";
    requestAnimationFrame(() => { region.textContent = sentence; });
  } else {
    region.textContent = sentence;
  }
  if (stays < Infinity) leaving = setTimeout(() => { region.textContent = ""; }, stays);
}
