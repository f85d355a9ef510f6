/** Runs an act; when the server asks for a fresh proof, gets one and runs the same act again by itself. */
import { ask } from "./api.js";
import { openDialog } from "./dialog.js";

const prove = () => openDialog("step-up", {
  words: "Confirming…",
  problemField: "password",
  act: (form) => ask("POST", "/api/auth/step-up", { method: "password", password: form.elements.password.value }),
});

export async function withProof(act) {
  try {
    return await act();
  } catch (problem) {
    if (problem.code !== "step_up_required") throw problem;
    await prove();
    return act();
  }
}
