// Which pairs are shown: the head's filters, filled with what the pairs have.

const MORE = { label: "filter-label", model: "filter-model", batch: "filter-batch", reviewer: "filter-reviewer", style: "filter-style", cost: "filter-cost" };
const MAX_OPTIONS = 300; // of one filter: more are found with the search
const COSTS = {
  free: ["Nothing paid", (usd) => usd === 0],
  low: ["Up to $0.05", (usd) => usd > 0 && usd <= 0.05],
  middle: ["$0.05 to $0.10", (usd) => usd > 0.05 && usd <= 0.1],
  high: ["Over $0.10", (usd) => usd > 0.1],
};

function filters() {
  const values = {
    status: document.querySelector("#statuses input:checked").value,
    reason: byId("filter-reason").value,
    decision: byId("filter-decision").value,
    search: byId("search").value,
    sort: byId("sort").value,
  };
  for (const [name, id] of Object.entries(MORE)) values[name] = byId(id).value;
  return values;
}

const isFiltered = ({ sort, ...others }) => Object.values(others).some(Boolean);

const labelOf = (name, value) => `${name}: ${value}`;

function passes(pair, wanted, decision) {
  return (
    (!wanted.label || Object.entries(pair.labels).some(([name, value]) => labelOf(name, value) === wanted.label)) &&
    (!wanted.model || pair.model === wanted.model) &&
    (!wanted.batch || folderName(pair) === wanted.batch) &&
    (!wanted.style || pair.style?.name === wanted.style) &&
    (!wanted.reviewer || pair.decided_by === wanted.reviewer) &&
    (!wanted.cost || (pair.usd !== null && COSTS[wanted.cost][1](pair.usd))) &&
    (!wanted.decision || (pair.waiting ? "redo" : decision ?? "none") === wanted.decision)
  );
}

// Again whenever rows have come; what is chosen stays chosen.
function fillFilters() {
  const counts = { "": pairs.length };
  for (const pair of pairs) counts[pair.status] = (counts[pair.status] ?? 0) + 1;
  const chosen = document.querySelector("#statuses input:checked")?.value ?? "";
  const words = [["", "All"], ...Object.entries(STATUS).map(([status, { word }]) => [status, word])];
  byId("statuses").replaceChildren(byId("statuses").firstElementChild, ...words.map(([status, word]) => {
    const radio = element("input");
    Object.assign(radio, { type: "radio", name: "status", value: status, defaultChecked: status === "", checked: status === chosen });
    return element("label", `chip is-${status || "all"}`, radio,
      element("span", "", word, " ", element("b", "", wholeNumber.format(counts[status] ?? 0))));
  }));
  fill("filter-reason", [new Option("Any reason", ""), ...reasonGroups()]);
  fillCounted("filter-label", "Any label", (pair) => Object.entries(pair.labels).map(([name, value]) => labelOf(name, value)));
  fillCounted("filter-model", "Any model", (pair) => [pair.model]);
  fillCounted("filter-batch", "Any batch", (pair) => [folderName(pair)]);
  fillCounted("filter-reviewer", "Any reviewer", (pair) => [pair.decided_by]);
  fillCounted("filter-style", "Any style", (pair) => [pair.style?.name]);
  fill("filter-cost", [new Option("Any cost", ""), ...Object.entries(COSTS).map(([value, [words]]) => new Option(words, value))]);
}

function fill(id, options) {
  const select = byId(id);
  const chosen = select.value;
  select.replaceChildren(...options);
  select.value = chosen;
  if (select.selectedIndex < 0) select.value = "";
}

function fillCounted(id, anything, valuesOf) {
  const found = new Map();
  for (const pair of pairs) {
    for (const value of valuesOf(pair)) if (value) found.set(value, (found.get(value) ?? 0) + 1);
  }
  const most = [...found].sort((a, b) => nameOrder.compare(a[0], b[0])).slice(0, MAX_OPTIONS);
  fill(id, [new Option(anything, ""), ...most.map(([value, number]) => new Option(`${value} (${wholeNumber.format(number)})`, value))]);
}

function reasonGroups() {
  const found = new Map();
  const note = (value, title) => found.set(value, { title, number: (found.get(value)?.number ?? 0) + 1 });
  for (const pair of pairs) {
    for (const check of failedChecks(pair)) note(`check:${check.name}`, check.title);
    if (pair.error) note(`error:${pair.error.code}`, pair.error.title);
  }
  return [["check:", "Failed checks"], ["error:", "Errors"]].map(([start, label]) => {
    const group = element("optgroup");
    group.label = label;
    const values = [...found].filter(([value]) => value.startsWith(start)).sort((a, b) => b[1].number - a[1].number);
    group.append(...values.map(([value, { title, number }]) => new Option(`${title} (${number})`, value)));
    return group;
  }).filter((group) => group.children.length);
}
