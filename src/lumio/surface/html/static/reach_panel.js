/** The regions of a revocation under way, above the line that says it: a mark for each node, filled when it refuses. */
import { count, nodes, silence } from "./reach_nodes.js";

const GAP = 8;
let leaving;
let tall = 0;

function line(region) {
  const row = document.getElementById("reach-region").content.firstElementChild.cloneNode(true);
  row.querySelector("[data-slot=region]").textContent = region.name;
  row.querySelector("[data-slot=count]").textContent = `${count(region, "refuses")} of ${nodes(region.states.length)}`;
  row.querySelector("[data-slot=silence]").textContent = silence(region);
  row.querySelector("[data-slot=nodes]").replaceChildren(...region.states.map((state) => {
    const mark = document.createElement("span");
    mark.dataset.state = state;
    return mark;
  }));
  return row;
}

function close(panel) {
  clearTimeout(leaving);
  if (panel.contains(document.activeElement)) document.getElementById("main").focus({ preventScroll: true });
  panel.hidden = true;
  delete panel.dataset.unwanted;
  makeRoom();
}

/** Shows how far each region has come, unless the person has hidden it for this time. */
export function drawRegions(regions) {
  const panel = document.getElementById("reach");
  clearTimeout(leaving);
  panel.querySelector("[data-regions]").replaceChildren(...regions.map(line));
  panel.hidden = "unwanted" in panel.dataset;
}

/** Lets the page scroll past the regions and the line below them, and what has the focus come out from under them. */
export function makeRoom() {
  const panel = document.getElementById("reach");
  const height = panel.hidden ? 0 : Math.ceil(innerHeight - panel.parentElement.getBoundingClientRect().top + GAP);
  document.documentElement.style.setProperty("--shelf", `${height}px`);
  const grown = height > tall;
  tall = height;
  if (grown && document.activeElement !== document.body) document.activeElement.scrollIntoView({ block: "nearest" });
}

/** Leaves the regions to be read for a while; longer, while somebody is at them. */
export function hideRegions(after) {
  const panel = document.getElementById("reach");
  leaving = setTimeout(() => (panel.matches(":hover, :focus-within") ? hideRegions(after) : close(panel)), after);
}

document.querySelector("#reach [data-hide]").addEventListener("click", (event) => {
  const panel = event.target.closest("#reach");
  close(panel);
  panel.dataset.unwanted = "";
});
