/** The end of a credential, as the fields of macros/expiry.html offer it. */
const DAY = 86_400_000;

/** "" → no end; a number → that many days after `opened`; "date" → the end of the chosen day in UTC. */
export function expiry(form, opened) {
  const choice = form.elements.expiry.value;
  if (!choice) return {};
  const end = choice === "date" ? Date.parse(`${form.elements.expires_at.value}T00:00:00Z`) + DAY : opened + Number(choice) * DAY;
  return { expires_at: new Date(end).toISOString() };
}

/** Shows the field for a day only when a day is to be chosen. */
export function watchExpiry(form) {
  const show = () => {
    const byDate = form.elements.expiry.value === "date";
    form.querySelector("[data-expiry-date]").hidden = !byDate;
    form.elements.expires_at.required = byDate;
    form.elements.expires_at.min = new Date().toISOString().slice(0, 10);
  };
  form.addEventListener("change", show);
  form.addEventListener("reset", () => queueMicrotask(show));
}
