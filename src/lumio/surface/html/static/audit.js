/** The audit log: opens the rest of an event, and keeps empty filters out of the address. */
const events = document.getElementById("events");

events.addEventListener("click", (event) => {
  const button = event.target.closest("[aria-controls]");
  if (!button) return;
  const more = document.getElementById(button.getAttribute("aria-controls"));
  more.hidden = !more.hidden;
  button.setAttribute("aria-expanded", String(!more.hidden));
});

document.querySelector("form.filters").addEventListener("formdata", (event) => {
  for (const [name, value] of [...event.formData]) {
    if (value === "") event.formData.delete(name);
  }
});
