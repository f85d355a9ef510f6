/** The theme: follows the system unless set; the cookie lets the server draw the page right the first time. */
const YEAR = 31536000;

export function setTheme(choice) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${choice}; Path=/; Max-Age=${choice === "auto" ? 0 : YEAR}; SameSite=Lax${secure}`;
  document.documentElement.dataset.theme = choice;
  document.querySelector('meta[name="color-scheme"]').content = choice === "auto" ? "light dark" : choice;
  for (const button of document.querySelectorAll("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === choice));
  }
}
