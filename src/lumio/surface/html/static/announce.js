/** Says one sentence, to the eye at the foot of the page and to screen readers, politely. Said twice, it is heard twice. */
const STAYS = 8000;
let leaving;

export function announce(sentence) {
  const region = document.getElementById("announce");
  clearTimeout(leaving);
  region.textContent = "";
  requestAnimationFrame(() => { region.textContent = sentence; });
  leaving = setTimeout(() => { region.textContent = ""; }, STAYS);
}
