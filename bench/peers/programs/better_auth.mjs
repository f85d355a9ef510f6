// better-auth with its API-key plugin, behind the smallest HTTP server that Node.js has.
//
// Usage: node better_auth.mjs PORT database|memory KEYS FOLDER
// Mints KEYS keys, writes them into FOLDER/keys (one a line), then answers GET with 200 for a good key in the
// header `x-api-key` and with 401 for every other one. Best configuration: in production mode, rate limit off, no
// key has a quota; `database` is SQLite in WAL mode without waiting for the disk, `memory` keeps the keys in a Map
// by the plugin's own secondary storage and puts the writes of use off, which makes the database slower.

import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [port, storage, many, folder] = process.argv.slice(2);
// The packages lie in the cache, which is the working folder; this file lies in the repository.
const require = createRequire(`${process.cwd()}/`);
const load = async (name) => import(pathToFileURL(require.resolve(name)).href);
const { betterAuth } = await load("better-auth");
const { getMigrations } = await load("better-auth/db/migration");
const { apiKey } = await load("@better-auth/api-key");
const Database = require("better-sqlite3");

const database = new Database(storage === "memory" ? ":memory:" : `${folder}/better-auth.db`);
database.pragma("journal_mode = WAL");
database.pragma("synchronous = NORMAL");

const kept = new Map();
const customStorage = {
  get: (name) => kept.get(name) ?? null,
  set: (name, value) => void kept.set(name, value),
  delete: (name) => void kept.delete(name),
};
const inMemory = storage === "memory" ? { storage: "secondary-storage", customStorage, deferUpdates: true } : {};
const options = {
  baseURL: `http://127.0.0.1:${port}`,
  secret: "of a server that lives for seconds only",
  database,
  emailAndPassword: { enabled: true },
  logger: { disabled: true },
  telemetry: { enabled: false },
  rateLimit: { enabled: false },
  plugins: [apiKey({ rateLimit: { enabled: false }, ...inMemory })],
};
const auth = betterAuth(options);
await (await getMigrations(options)).runMigrations();

const person = { email: "bench@example.com", password: "amber-heron-reads-7-maps", name: "Bench" };
const { user } = await auth.api.signUpEmail({ body: person });
const keys = [];
for (let made = 0; made < Number(many); made += 1) {
  keys.push((await auth.api.createApiKey({ body: { userId: user.id, name: `bench-${made}` } })).key);
}
writeFileSync(`${folder}/keys`, keys.join("\n"));

createServer(async (request, response) => {
  const found = await auth.api.verifyApiKey({ body: { key: request.headers["x-api-key"] ?? "" } });
  const body = JSON.stringify({ valid: found.valid, user: found.key?.referenceId, permissions: found.key?.permissions });
  response.writeHead(found.valid ? 200 : 401, { "content-type": "application/json", "content-length": body.length });
  response.end(body);
}).listen(Number(port), "127.0.0.1");
