/** Plain forms of the signed-out pages: once sent, the button says so and cannot be pressed again. */
for (const form of document.querySelectorAll("form[data-busy]")) {
  form.addEventListener("submit", (event) => {
    const button = form.querySelector("[type=submit]");
    if (button.disabled) { event.preventDefault(); return; }
    button.dataset.words = button.textContent;
    button.disabled = true;
    button.textContent = form.dataset.busy;
  });
}

// A page that comes back from the browser's memory must be usable again.
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("button[data-words]")) {
    button.disabled = false;
    button.textContent = button.dataset.words;
  }
});
