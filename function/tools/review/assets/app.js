// Ties the parts together: what is shown, the keyboard, and the way from picture to picture.

const data = JSON.parse(byId("data").textContent);
const pairs = data.pairs;
const decisions = new Decisions(data.id, data.title);
const grid = new Grid(pairs, decisions, (pair) => openDetail(grid.shown, pair));
const detail = new Detail(decisions);
const decidable = pairs.filter((pair) => pair.result_uri);

function filters() {
  const status = document.querySelector("#statuses input:checked").value;
  return {
    status,
    reason: byId("filter-reason").value,
    decision: byId("filter-decision").value,
    search: byId("search").value,
    sort: byId("sort").value,
  };
}

function refresh() {
  grid.show(filters());
  const cost = grid.shown.reduce((sum, pair) => sum + (pair.usd ?? 0), 0);
  byId("showing").textContent = grid.shown.length === pairs.length
    ? "" : `${count(grid.shown.length, "picture")} of ${wholeNumber.format(pairs.length)}, ${totalCost(cost)}`;
  byId("nothing").hidden = grid.shown.length > 0;
  showProgress();
}

function showProgress() {
  const made = decidable.filter((pair) => decisions.of(pair)).length;
  byId("progress").hidden = made === 0;
  byId("progress-text").textContent = `${wholeNumber.format(made)} of ${wholeNumber.format(decidable.length)} decided`;
  byId("progress-bar").style.width = `${(100 * made) / Math.max(decidable.length, 1)}%`;
  byId("download").hidden = decisions.rows(pairs).length === 0;
  const waiting = toReview();
  byId("start").hidden = waiting.length === 0;
  const doing = waiting[0]?.status === "review" ? "Review" : waiting.length === 1 ? "Look at" : "Look through";
  byId("start").textContent = `${doing} ${count(waiting.length, "picture")}`;
  byId("notice").hidden = decisions.kept;
  if (!decisions.kept) {
    byId("notice").textContent = "This browser keeps nothing for this page: download your decisions before you close it.";
  }
}

// What is left to decide among the shown: those that need a look, or else all.
function toReview() {
  const open = grid.shown.filter((pair) => pair.result_uri && !decisions.of(pair));
  const flagged = open.filter((pair) => pair.status === "review");
  return flagged.length ? flagged : open;
}

function openDetail(list, pair) {
  if (!detail.isOpen) window.history.pushState(null, "", `#${encodeURIComponent(pair.name)}`);
  detail.open([...list], list.indexOf(pair));
}

function step(by) {
  const index = detail.index + by;
  if (index < 0 || index >= detail.list.length) return;
  detail.show(index);
  window.history.replaceState(null, "", `#${encodeURIComponent(detail.pair.name)}`);
  byId("announce").textContent = `${detail.pair.name}, ${byId("position").textContent}`;
}

function decide(pair, decision) {
  if (!pair?.result_uri) return;
  decisions.set(pair, decision);
  grid.mark(pair);
  showProgress();
}

function decideInDetail(decision) {
  const pair = detail.pair;
  if (!pair.result_uri) return;
  decide(pair, decision);
  detail.showDecision();
  if (decision === null) return;
  byId("announce").textContent = `${pair.name} ${DECISION[decision].word}`;
  if (detail.index < detail.list.length - 1) step(1);
  else finish();
}

function finish() {
  detail.dialog.close();
  showDone("That was the last one");
}

function showDone(title) {
  const rows = decisions.rows(pairs);
  const number = (decision) => rows.filter(({ entry }) => entry.decision === decision).length;
  byId("done-title").textContent = title;
  byId("done-text").textContent = `${number("accept")} accepted, ${number("reject")} rejected.`;
  byId("done").showModal();
}

function download(kind) {
  if (kind === "csv") downloadFile("decisions.csv", "text/csv;charset=utf-8", decisions.asCsv(pairs));
  else downloadFile("decisions.json", "application/json", decisions.asJson(pairs));
  decisions.changed = false;
}

function closedDetail() {
  if (window.location.hash) window.history.replaceState(null, "", window.location.href.split("#")[0]);
  refresh();
  grid.focus(grid.shown.includes(detail.pair) ? detail.pair : grid.current);
}

function openFromAddress() {
  const name = decodeHash();
  const pair = name && pairs.find((candidate) => candidate.name === name);
  if (pair) {
    const list = grid.shown.includes(pair) ? grid.shown : [pair];
    detail.open([...list], list.indexOf(pair));
  } else if (detail.isOpen) {
    detail.dialog.close();
  }
}

function decodeHash() {
  try {
    return decodeURIComponent(window.location.hash.slice(1));
  } catch {
    return ""; // an address that was cut or mistyped opens the grid
  }
}

const DETAIL_KEYS = {
  ArrowRight: () => step(1), j: () => step(1), ArrowLeft: () => step(-1), k: () => step(-1),
  a: () => decideInDetail("accept"), x: () => decideInDetail("reject"), u: () => decideInDetail(null),
  z: () => detail.pair.pictures.result && detail.toggleZoom(),
  m: () => detail.pair.pictures.change && detail.toggleChange(),
  s: () => detail.setSide(!detail.side),
};

const PAN = { ArrowLeft: [80, 0], ArrowRight: [-80, 0], ArrowUp: [0, 80], ArrowDown: [0, -80] }; // CSS pixels

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const target = event.target;
  if (byId("done").open || byId("help").open) return;
  if (target.matches("select, input[type=search]")) {
    if (key === "Escape") target.blur();
    return;
  }
  if (key === "?") return handled(event, () => byId("help").showModal());
  if (detail.isOpen) return onDetailKey(event, key);
  if (target.matches("input[type=radio]") && key.startsWith("Arrow")) return;
  if (key === "/") return handled(event, () => byId("search").focus());
  if (key.startsWith("Arrow") || key === "j" || key === "k") return handled(event, () => grid.move(key));
  if (key === "Enter" && target === document.body && grid.current) {
    return handled(event, () => openDetail(grid.shown, grid.current));
  }
  const decision = { a: "accept", x: "reject", u: null }[key];
  if (decision !== undefined && target.closest(".card") && !event.repeat) {
    handled(event, () => decide(grid.current, decision));
  }
}

function onDetailKey(event, key) {
  if (event.shiftKey && PAN[key] && detail.stage.zoomed && !detail.side) {
    return handled(event, () => detail.stage.pan(...PAN[key]));
  }
  if (key.startsWith("Arrow") && event.target === detail.stage.slider) return;
  const repeats = key === "j" || key === "k" || key.startsWith("Arrow"); // a held A must not accept unseen pictures
  if (DETAIL_KEYS[key] && (repeats || !event.repeat)) handled(event, DETAIL_KEYS[key]);
}

function handled(event, action) {
  event.preventDefault();
  action();
}

function fillFilters() {
  const counts = { "": pairs.length };
  for (const pair of pairs) counts[pair.status] = (counts[pair.status] ?? 0) + 1;
  const words = [["", "All"], ...Object.entries(STATUS).map(([status, { word }]) => [status, word])];
  byId("statuses").append(...words.map(([status, word]) => {
    const radio = element("input");
    Object.assign(radio, { type: "radio", name: "status", value: status, defaultChecked: status === "" });
    return element("label", `chip is-${status || "all"}`, radio,
      element("span", "", word, " ", element("b", "", wholeNumber.format(counts[status] ?? 0))));
  }));
  byId("filter-reason").append(new Option("Any reason", ""), ...reasonGroups());
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

function start() {
  const cost = pairs.reduce((sum, pair) => sum + (pair.usd ?? 0), 0);
  const each = decidable.length ? ` · ${pictureCost(cost / decidable.length)} a picture` : "";
  const today = data.spending ? ` · today ${data.spending}` : "";
  byId("source").textContent = data.title;
  byId("totals").textContent = `${count(pairs.length, "pair")} · ${totalCost(cost)} spent${each}${today}`;
  byId("grid").classList.toggle("is-few", pairs.length <= 6); // room for larger cards
  fillFilters();
  byId("filters").addEventListener("input", refresh);
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("clear").addEventListener("click", () => { byId("filters").reset(); refresh(); });
  byId("start").addEventListener("click", () => { const list = toReview(); openDetail(list, list[0]); });
  byId("download").addEventListener("click", () => showDone("Your decisions"));
  byId("download-json").addEventListener("click", () => download("json"));
  byId("download-csv").addEventListener("click", () => download("csv"));
  byId("help-open").addEventListener("click", () => byId("help").showModal());
  byId("close").addEventListener("click", () => detail.dialog.close());
  byId("previous").addEventListener("click", () => step(-1));
  byId("next").addEventListener("click", () => step(1));
  byId("accept").addEventListener("click", () => decideInDetail("accept"));
  byId("reject").addEventListener("click", () => decideInDetail("reject"));
  byId("undo").addEventListener("click", () => decideInDetail(null));
  detail.dialog.addEventListener("close", closedDetail);
  for (const button of document.querySelectorAll("[data-close]")) {
    button.addEventListener("click", () => button.closest("dialog").close());
  }
  document.addEventListener("keydown", onKey);
  window.addEventListener("popstate", openFromAddress);
  window.addEventListener("beforeunload", (event) => { if (decisions.changed && !decisions.kept) event.preventDefault(); });
  refresh();
  openFromAddress();
}

start();
