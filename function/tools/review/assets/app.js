// Ties the parts together: what is shown, the keyboard, and the way from picture to picture.

const data = JSON.parse(byId("data").textContent);
const pairs = data.pairs;
const decisions = data.served
  ? new ServedDecisions(data.id, data.title, refused)
  : new Decisions(data.id, data.title);
const grid = new Grid(pairs, decisions, (pair) => openDetail(grid.shown, pair));
const redo = new Redo(decisions, askedAgain);
const detail = new Detail(decisions, redo);
let decidable = pairs.filter((pair) => pair.result_uri);
let toCome = data.served?.to_come ?? 0;
let spending = data.spending;
let undoBulk = null;

function refresh() {
  const wanted = filters();
  grid.show(wanted);
  showBulk(wanted);
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
  byId("download").hidden = Boolean(data.served) || decisions.rows(pairs).length === 0;
  const waiting = toReview();
  byId("start").hidden = waiting.length === 0;
  const doing = waiting[0]?.status === "review" ? "Review" : waiting.length === 1 ? "Look at" : "Look through";
  byId("start").textContent = `${doing} ${count(waiting.length, "picture")}`;
  if (!decisions.kept) {
    byId("notice").hidden = false;
    byId("notice").textContent = "This browser keeps nothing for this page: download your decisions before you close it.";
  }
}

// What is left to decide among the shown: those that need a look, or else all.
function toReview() {
  const open = grid.shown.filter((pair) => pair.result_uri && !pair.waiting && !decisions.of(pair));
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
  byId("announce").textContent = `${detail.pair.title}, ${byId("position").textContent}`;
}

function decide(pair, decision) {
  if (!pair?.result_uri || pair.waiting) return;
  decisions.set(pair, decision);
  grid.mark(pair);
  showProgress();
}

function decideInDetail(decision) {
  const pair = detail.pair;
  if (!pair.result_uri || pair.waiting) return;
  decide(pair, decision);
  detail.showDecision();
  if (decision === null) return;
  byId("announce").textContent = `${pair.title} ${DECISION[decision].word}`;
  if (detail.index < detail.list.length - 1) step(1);
  else finish();
}

// The comment goes with the decision that stands.
function saveComment() {
  const pair = detail.pair;
  const comment = byId("comment").value.trim();
  if (comment === decisions.comment(pair)) return;
  decisions.set(pair, decisions.of(pair), { comment });
  showProgress();
}

function askedAgain(pair, words) {
  grid.mark(pair);
  showProgress();
  if (detail.isOpen && detail.pair === pair) detail.showDecision();
  tell(`${pair.title} ${words}${data.served ? "" : ": download your decisions, and run decide with them"}.`);
}

// The bucket did not take a decision.
function refused(pair, said) {
  grid.mark(pair);
  showProgress();
  if (detail.isOpen && detail.pair === pair) detail.showDecision();
  tell(`${pair.title}: ${said}.`);
}

function tell(words, undo = null) {
  undoBulk = undo;
  byId("toast-text").textContent = words;
  byId("toast-undo").hidden = undo === null;
  byId("toast").hidden = false;
  const open = [...document.querySelectorAll("dialog[open]")].at(-1);
  (open ?? document.body).append(byId("toast")); // above the dialog that is open
}

function showBulk(wanted) {
  const open = grid.shown.filter((pair) => pair.result_uri && !pair.waiting && !decisions.of(pair));
  byId("bulk").hidden = open.length < 2 || !isFiltered(wanted);
  byId("bulk").textContent = `Accept these ${wholeNumber.format(open.length)}`;
}

function acceptShown() {
  const open = grid.shown.filter((pair) => pair.result_uri && !pair.waiting && !decisions.of(pair));
  const before = open.map((pair) => ({ pair, decision: decisions.of(pair) }));
  decisions.setMany(open.map((pair) => ({ pair, decision: "accept" })));
  marked(open);
  tell(`${count(open.length, "picture")} accepted.`, () => {
    decisions.setMany(before);
    marked(open);
    tell(`${count(open.length, "picture")} as before.`);
  });
}

function marked(some) {
  for (const pair of some) grid.mark(pair);
  refresh();
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
  m: () => (detail.pair.pictures.change || detail.pair.undone.length || detail.pair.asked_place?.result.length) && detail.toggleChange(),
  b: () => detail.pair.pictures.result && detail.pair.pictures.scene && detail.toggleBlink(),
  l: () => detail.loupe.possible && detail.toggleLoupe(),
  r: () => byId("redo-open").disabled || redo.open(detail.pair),
  "+": () => detail.zoomBy(ZOOM_STEP), "=": () => detail.zoomBy(ZOOM_STEP), "-": () => detail.zoomBy(1 / ZOOM_STEP),
  s: () => detail.setSide(!detail.side),
};

const PAN = { ArrowLeft: [80, 0], ArrowRight: [-80, 0], ArrowUp: [0, 80], ArrowDown: [0, -80] }; // CSS pixels

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const target = event.target;
  if (["done", "help", "redo", "attempt"].some((id) => byId(id).open)) return;
  if (target.matches("select, textarea, input:not([type=radio], [type=range])")) {
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
  if (event.shiftKey && PAN[key] && !detail.side) {
    const [x, y] = PAN[key];
    if (!byId("loupe").hidden) return handled(event, () => detail.loupe.move(-Math.sign(x), -Math.sign(y)));
    if (detail.stage.zoomed) return handled(event, () => detail.stage.pan(x, y));
  }
  if (key.startsWith("Arrow") && event.target === detail.stage.slider) return;
  const repeats = key === "j" || key === "k" || key.startsWith("Arrow"); // a held A must not accept unseen pictures
  if (DETAIL_KEYS[key] && (repeats || !event.repeat)) handled(event, DETAIL_KEYS[key]);
}

function handled(event, action) {
  event.preventDefault();
  action();
}

// Rows that have changed, and new ones.
function changed({ rows, to_come: waits, spending: today }) {
  const known = new Map(pairs.map((pair) => [pair.sidecar, pair]));
  for (const row of rows) {
    const pair = known.get(row.sidecar);
    if (!pair) {
      pairs.push(row);
      continue;
    }
    const isNew = pair.generation !== row.generation;
    Object.assign(pair, { waiting: null }, row);
    decisions.confirm(pair);
    grid.update(pair);
    if (!detail.isOpen || detail.pair !== pair) continue;
    if (isNew) detail.show(detail.index);
    else detail.showDecision();
    if (isNew) tell(`${pair.title}: here is the new picture.`);
  }
  if (rows.length === 0 && waits === toCome && today === spending) return;
  [toCome, spending] = [waits, today];
  decidable = pairs.filter((pair) => pair.result_uri);
  fillFilters();
  showTotals();
  refresh();
}

function showTotals() {
  const cost = pairs.reduce((sum, pair) => sum + (pair.usd ?? 0), 0);
  const each = decidable.length ? ` · ${pictureCost(cost / decidable.length)} a picture` : "";
  const today = spending ? ` · today ${spending}` : "";
  const waits = toCome ? ` · ${wholeNumber.format(toCome)} to come` : "";
  byId("totals").textContent = `${count(pairs.length, "pair")}${waits} · ${totalCost(cost)} spent${each}${today}`;
  byId("grid").classList.toggle("is-few", pairs.length <= 6); // room for larger cards
}

function start() {
  byId("source").textContent = data.title;
  byId("by").value = rememberedReviewer() || data.served?.by || "";
  showTotals();
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
  byId("redo-open").addEventListener("click", () => redo.open(detail.pair));
  byId("comment").addEventListener("change", saveComment);
  byId("by").addEventListener("change", rememberReviewer);
  byId("bulk").addEventListener("click", acceptShown);
  byId("toast-undo").addEventListener("click", () => undoBulk?.());
  byId("toast-close").addEventListener("click", () => { byId("toast").hidden = true; });
  byId("more").addEventListener("click", () => {
    byId("more-filters").hidden = !byId("more-filters").hidden;
    byId("more").setAttribute("aria-expanded", String(!byId("more-filters").hidden));
  });
  byId("help-where").textContent = data.served
    ? "Your decisions are in the bucket at once." : "Your decisions stay in this browser until you download them.";
  if (data.served) {
    follow(data.served.version, changed, (problem) => {
      byId("notice").hidden = problem === null;
      if (problem !== null) byId("notice").textContent = problem;
    });
  }
  detail.dialog.addEventListener("close", closedDetail);
  detail.dialog.addEventListener("close", () => document.body.append(byId("toast")));
  for (const dialog of [byId("redo"), byId("attempt")]) {
    dialog.addEventListener("close", () => (detail.isOpen ? detail.dialog : document.body).append(byId("toast")));
  }
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
