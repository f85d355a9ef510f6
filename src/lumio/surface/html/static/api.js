/** Asks our own server, with the form's proof of origin; every refusal arrives as one `Problem`. */
const PROOF = document.querySelector('meta[name="csrf-token"]').content;

export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || "The server refused, without a reason.");
    this.status = status;
    this.code = body.code || "";
    this.requestId = body.request_id || "";
    this.fields = Array.isArray(body.errors) ? body.errors : [];
  }
}

async function readJson(response) {
  try {
    return (await response.json()) ?? {};
  } catch {
    return {};
  }
}

/**
 * Resolves to the answer's `data`; throws a Problem for every refusal, and for a server out of reach (status 0).
 * `once` is the idempotency key: the same key never makes two things.
 */
export async function ask(method, path, body, { once } = {}) {
  const headers = { Accept: "application/json", "X-CSRF-Token": PROOF };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (once) headers["Idempotency-Key"] = once;
  let response;
  try {
    response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), cache: "no-store" });
  } catch {
    throw new Problem(0, { detail: "The server cannot be reached. Check the connection and try again: nothing is made twice." });
  }
  const answer = await readJson(response);
  if (!response.ok) {
    throw new Problem(response.status, { request_id: response.headers.get("X-Request-Id"), ...answer });
  }
  return answer.data ?? answer;
}

/** One idempotency key per distinct body: sending again is safe, changing the input starts anew. */
export function onceKeys() {
  let last = "", key = "";
  return (body) => {
    const text = JSON.stringify(body ?? null);
    if (text !== last || !key) [last, key] = [text, crypto.randomUUID()];
    return key;
  };
}
