/** What every page can do: choose a theme, copy a command, jump to the filter with "/", keep times true. */
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
