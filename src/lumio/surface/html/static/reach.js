/**
 * After a revocation: says at once when it is refused everywhere; else follows it node by node until that is so.
 * Numbers rise, so the newest revocation speaks for those before it: whoever knows it knows them all.
 */
import { announce, STAYS } from "./announce.js";
import { ask } from "./api.js";
import { regionsOf, sentence } from "./reach_nodes.js";
import { drawRegions, hideRegions, makeRoom } from "./reach_panel.js";

const FIRST = 200, LONGEST = 1000, SLOWER = 1.4;
/** Milliseconds. By then every node refuses it or serves nothing, also when nobody can be asked. */
const PROMISED = 30_000;
/** Answers that will not change by asking again. */
const FINAL = [401, 403, 404];
let current = null;

const rest = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });

function finish(run, words) {
  current = null;
  announce(`${run.said} ${words}. ${run.count()}.`);
  hideRegions(STAYS);
}

function show(run, progress) {
  const passed = performance.now() - run.began;
  const regions = regionsOf(progress, run.seen, passed);
  drawRegions(regions);
  if (progress.effective) finish(run, `Refused everywhere, after ${(passed / 1000).toFixed(1)} s`);
  else tell(run, sentence(regions));
  makeRoom();
}

/** Says it again only when something new is in it. */
function tell(run, words) {
  if (words.key === run.told) return;
  run.told = words.key;
  announce(`${run.said} ${words.text}`, Infinity);
}

async function look(run) {
  try {
    const progress = await ask("GET", `/api/revocations/${run.seq}`);
    if (current === run) show(run, progress);
  } catch (problem) {
    if (current === run && FINAL.includes(problem.status)) finish(run, "It is refused everywhere within 30 seconds");
  }
}

async function follow(run) {
  for (let pause = FIRST; current === run; pause = Math.min(LONGEST, pause * SLOWER)) {
    await look(run);
    if (current !== run) return;
    if (performance.now() - run.began > PROMISED) finish(run, "By now every node refuses it, or serves nothing");
    else await rest(pause);
  }
}

/**
 * `receipt` is the answer of the revocation, `said` what happened, `count()` says what is left, `what` is refused.
 */
export function tellReach(receipt, said, count, what = "It") {
  const run = { seq: receipt.seq, said: current ? `${current.said} ${said}` : said, count, began: performance.now(), seen: new Map(), told: "" };
  if (receipt.effective) {
    finish(run, `${what} is refused everywhere now`);
    return;
  }
  current = run;
  announce(`${run.said} ${count()}.`, Infinity);
  follow(run);
}
