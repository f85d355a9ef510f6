/** Follows the log: new events become rows at the top, as text only; it stops with the right to read, or after a while. */
import { announce } from "./announce.js";

const MOST = 200;
const ENDED = {
  time: "The live view paused by itself. Follow again to go on.",
  right: "The live view ended: you may not read this any more. Sign in again.",
  unavailable: "The live view broke off. Follow again in a moment.",
};
const events = document.getElementById("events");
const button = document.getElementById("follow");
const template = document.getElementById("live-row");
const KINDS = JSON.parse(template?.dataset.kinds ?? "{}");
let source = null;
let fresh = 0;

function fill(row, told) {
  const texts = { ...told, count: told.count > 1 ? ` × ${told.count}` : "", kind: KINDS[told.kind] ?? told.kind, label: `Details of ${told.event}` };
  for (const place of row.querySelectorAll("[data-of]")) place.textContent = texts[place.dataset.of];
  for (const place of row.querySelectorAll("[data-if]")) place.hidden = place.dataset.if !== told.result;
  row.querySelector("time").dateTime = told.iso;
  row.querySelector("time").title = told.iso;
  const facts = row.querySelector("dl");
  facts.replaceChildren(...Object.entries(told.facts).map(([name, value]) => {
    const fact = document.createElement("div"), words = document.createElement("dt"), text = document.createElement("dd");
    words.textContent = name;
    text.textContent = value;
    fact.append(words, text);
    return fact;
  }));
}

function show(told) {
  const id = `live-${told.id}`;
  const known = document.getElementById(id);
  if (known) {
    fill(known.closest("tbody"), told);
    return;
  }
  const row = template.content.cloneNode(true).querySelector("tbody");
  fill(row, told);
  row.querySelector(".more").id = id;
  row.querySelector(".expander").setAttribute("aria-controls", id);
  const table = events.querySelector("table");
  if (!table) {
    location.reload();
    return;
  }
  table.querySelector("thead").after(row);
  const live = table.querySelectorAll("tbody.live");
  if (live.length > MOST) live[live.length - 1].remove();
  fresh += 1;
}

function stop(sentence) {
  source?.close();
  source = null;
  button.setAttribute("aria-pressed", "false");
  button.textContent = "Follow live";
  if (sentence) announce(sentence);
}

function follow() {
  source = new EventSource(events.dataset.tail);
  button.setAttribute("aria-pressed", "true");
  button.textContent = "Following";
  source.addEventListener("message", (message) => show(JSON.parse(message.data)));
  source.addEventListener("over", (message) => stop(ENDED[message.data]));
  source.addEventListener("error", () => {
    if (source && source.readyState === EventSource.CLOSED) stop(ENDED.unavailable);
  });
}

button?.addEventListener("click", () => (source ? stop("") : follow()));
setInterval(() => {
  if (fresh) announce(fresh === 1 ? "1 new event" : `${fresh} new events`);
  fresh = 0;
}, 5000);
