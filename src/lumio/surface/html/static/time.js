/** Words for times, the same that the server gives (format.py), so that a row filled here reads like its neighbours. */
const MINUTE = 60, HOUR = 3600, DAY = 86400;

function span(seconds) {
  const days = Math.floor(seconds / DAY);
  if (seconds < HOUR) return `${Math.max(1, Math.floor(seconds / MINUTE))} min`;
  if (days < 1) return `${Math.floor(seconds / HOUR)} h`;
  if (days < 14) return `${days} days`;
  if (days < 60) return `${Math.floor(days / 7)} weeks`;
  if (days < 730) return `${Math.floor(days / 30)} months`;
  return `${Math.floor(days / 365)} years`;
}

/** `seconds` passed since the moment; negative for what is to come. */
export function ago(seconds) {
  const past = seconds >= 0, far = Math.abs(seconds);
  if (far < 45) return past ? "just now" : "in a moment";
  if (far >= DAY && far < 2 * DAY) return past ? "yesterday" : "tomorrow";
  return past ? `${span(far)} ago` : `in ${span(far)}`;
}

function elapsed(iso) {
  return Math.floor((Date.now() - Date.parse(iso)) / 1000);
}

export function utc(iso) {
  return `${new Date(iso).toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** A `<time>` with the exact second on hover and on focus, or "—" with the hidden word for readers of screens. */
export function moment(iso, absent = "never") {
  if (!iso) {
    const sign = Object.assign(document.createElement("span"), { className: "dash", textContent: "—" });
    sign.setAttribute("aria-hidden", "true");
    const word = Object.assign(document.createElement("span"), { className: "unseen", textContent: absent });
    const both = document.createDocumentFragment();
    both.append(sign, word);
    return both;
  }
  const time = Object.assign(document.createElement("time"), { dateTime: iso, title: utc(iso), tabIndex: 0 });
  time.textContent = ago(elapsed(iso));
  return time;
}

/** Keeps relative words true while a page stays open; exact columns (class "mono") are left alone. */
export function refreshWords() {
  for (const time of document.querySelectorAll("time:not(.mono)")) {
    const words = ago(elapsed(time.dateTime));
    if (time.textContent !== words) time.textContent = words;
  }
}
