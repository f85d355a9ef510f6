/** What the nodes of a fleet say of a revocation, by region and in words. No clock of this machine is held against theirs. */
import { visible } from "./visible.js";

/** Milliseconds without a beat after which a node counts as silent: it beats twice a second. */
const SILENT = 1500;
/** Seconds go by in steps of so many, so that a screen reader is not kept talking. */
const STEP = 5;

/** Remembers since when a node's lease has not moved, and tells whether that is too long. */
function isSilent(node, seen, passed) {
  const known = seen.get(node.node_id);
  if (known?.until === node.lease_until) return passed - known.since >= SILENT;
  seen.set(node.node_id, { until: node.lease_until, since: passed });
  return false;
}

/** Milliseconds until the lease of a node ends, counted from the revocation by the server's own times. */
function leaseLeft(node, progress, passed) {
  return Date.parse(node.lease_until) - Date.parse(progress.revoked_at) - passed;
}

/** The state of one node; when it is so everywhere, one that was not silent has only not said yet what it knows. */
function stateOf(node, progress, seen, passed) {
  if (node.applied_seq >= progress.seq) return "refuses";
  if (isSilent(node, seen, passed)) return "silent";
  return progress.effective ? "refuses" : "waits";
}

/** One entry per region: the states of its nodes, and how long (milliseconds) a silent one may still serve. */
export function regionsOf(progress, seen, passed) {
  const regions = new Map();
  for (const node of progress.nodes) {
    const name = visible(node.region);
    if (!regions.has(name)) regions.set(name, { name, states: [], left: 0, over: progress.effective });
    const region = regions.get(name);
    const state = stateOf(node, progress, seen, passed);
    region.states.push(state);
    if (state === "silent") region.left = Math.max(region.left, leaseLeft(node, progress, passed));
  }
  return [...regions.values()];
}

export const count = (region, state) => region.states.filter((one) => one === state).length;
export const nodes = (number) => (number === 1 ? "1 node" : `${number} nodes`);

/** The words for the silent nodes of a region; empty when there are none. */
export function silence(region) {
  const quiet = count(region, "silent");
  return quiet ? `${nodes(quiet)} silent${region.over ? ", out of service" : ""}` : "";
}

function serves(region) {
  const seconds = Math.max(1, Math.ceil(region.left / 1000));
  const verb = count(region, "silent") === 1 ? "serves" : "serve";
  return { step: Math.ceil(seconds / STEP), text: `${region.name}: ${silence(region)}, ${verb} no more after at most ${seconds} s` };
}

function reached(regions) {
  const named = (region, words = false) => `${region.name} (${count(region, "refuses")} of ${words ? nodes(region.states.length) : region.states.length})`;
  const begun = regions.filter((region) => count(region, "refuses"));
  if (!begun.length) {
    const all = regions.reduce((sum, region) => sum + region.states.length, 0);
    return `Telling ${nodes(all)} in ${regions.map((region) => region.name).join(", ")} …`;
  }
  const rest = regions.filter((region) => !begun.includes(region)).map((region) => named(region));
  const done = begun.map((region, place) => named(region, place === 0));
  return `Refused in ${done.join(", ")}${rest.length ? `, not yet in ${rest.join(", ")}` : ""} …`;
}

/** The sentence for all regions; `key` changes when it is worth being said again. */
export function sentence(regions) {
  const text = reached(regions);
  const told = regions.filter((region) => count(region, "silent")).map(serves);
  if (!told.length) return { key: text, text };
  return { key: `${text} ${told.map((one) => one.step)}`, text: `${text} ${told.map((one) => one.text).join("; ")}.` };
}
