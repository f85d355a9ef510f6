/**
 * What every page can do: choose a theme, copy a command, jump to the filter with "/", keep times true.
 * And its promise to whoever is quick: what scripts serve is shown when all scripts have run, so that no press is lost.
 */
import { announce } from "./announce.js";
import { copyCommand } from "./copy.js";
import { setTheme } from "./theme.js";
import { refreshWords } from "./time.js";

document.addEventListener("click", async (event) => {
  const theme = event.target.closest("[data-theme-choice]");
  if (theme) setTheme(theme.dataset.themeChoice);
  const copy = event.target.closest("[data-copy]");
  if (copy) announce(await copyCommand(copy));
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, [contenteditable], [role=textbox], dialog")) return;
  const filter = document.querySelector("[data-filter]");
  if (!filter) return;
  event.preventDefault();
  filter.focus();
  filter.select();
});

setInterval(refreshWords, 30_000);

// The same modules, not a second run of them: each of these waits until the page's own has run, or could not.
const scripts = [...document.querySelectorAll("script[type=module]")].map((script) => import(script.src));
Promise.all(scripts).then(
  () => { document.documentElement.dataset.ready = ""; },
  () => announce("A part of this page did not arrive. Load the page again.", Infinity),
);
