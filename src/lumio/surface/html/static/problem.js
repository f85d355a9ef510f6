/** Puts a refusal where it belongs: by its field with the focus moved there, or above the buttons. Input is kept. */
export function clearProblem(form) {
  for (const place of form.querySelectorAll("[data-error-for], [data-form-error]")) place.textContent = "";
  for (const field of form.elements) field.removeAttribute("aria-invalid");
}

function mark(form, name, message) {
  const field = form.elements.namedItem(name);
  const place = form.querySelector(`[data-error-for="${CSS.escape(name)}"]`);
  if (!field || !place) return null;
  field.setAttribute("aria-invalid", "true");
  place.textContent = message;
  return field;
}

function withId(sentence, problem) {
  return problem.requestId ? `${sentence} (Request id ${problem.requestId})` : sentence;
}

/** `fallbackField` takes sentences that name no field of this form. */
export function showProblem(form, problem, fallbackField = null) {
  clearProblem(form);
  const rest = [];
  let first = null;
  for (const { field, message } of problem.fields ?? []) {
    const marked = mark(form, field, message);
    if (marked) first ??= marked;
    else rest.push(message);
  }
  if (!first && fallbackField) first = mark(form, fallbackField, withId(problem.message, problem));
  else if (rest.length || !first) {
    const sentence = problem.status === 401 ? "You are signed out. Open the sign-in page, sign in, and try again." : rest.join(" ") || problem.message;
    form.querySelector("[data-form-error]").textContent = withId(sentence, problem);
  }
  if (first) first.focus();
  else form.querySelector("[type=submit]")?.focus();
}

/** What the browser itself can tell, worded by it, shown by the field. Returns whether the form may be sent. */
export function checkForm(form) {
  clearProblem(form);
  let first = null;
  for (const field of form.elements) {
    if (!field.name || !field.willValidate || field.closest("[hidden]") || field.checkValidity()) continue;
    mark(form, field.name, field.validationMessage);
    first ??= field;
  }
  first?.focus();
  return !first;
}
