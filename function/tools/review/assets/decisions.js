// What the person decided: kept in this browser under the page's id, downloaded as CSV or JSON.

class Decisions {
  constructor(pageId, title) {
    this.key = `review:${pageId}`;
    this.title = title;
    this.kept = true; // whether the browser keeps them
    this.changed = false;
    this.entries = this.read();
  }

  read() {
    try {
      const entries = JSON.parse(window.localStorage.getItem(this.key) ?? "{}");
      return entries && typeof entries === "object" ? entries : {};
    } catch {
      this.kept = false;
      return {};
    }
  }

  // A new generation of the manifest made a new picture: the old decision is not about it.
  static entryKey(pair) {
    return `${pair.sidecar}#${pair.generation}`;
  }

  entry(pair) {
    return this.entries[Decisions.entryKey(pair)];
  }

  // accept, reject, redo, pick or null
  of(pair) {
    const entry = this.entry(pair);
    return (entry && "decision" in entry ? entry.decision : pair.recorded) ?? null;
  }

  comment(pair) {
    return this.entry(pair)?.comment ?? pair.comment;
  }

  set(pair, decision, details = {}) {
    this.setMany([{ pair, decision, details }]);
  }

  setMany(changes) {
    if (this.kept) this.entries = { ...this.entries, ...this.read() }; // another tab may have decided too
    for (const { pair, decision, details = {} } of changes) {
      const comment = this.entry(pair)?.comment;
      this.entries[Decisions.entryKey(pair)] = {
        decision, at: new Date().toISOString(), by: reviewer(), ...(comment === undefined ? {} : { comment }), ...details,
      };
    }
    this.changed = true;
    this.keep();
  }

  keep() {
    try {
      window.localStorage.setItem(this.key, JSON.stringify(this.entries));
    } catch {
      this.kept = false;
    }
  }

  // Those made here, and a withdrawn one (decision null) where the bucket still has it.
  rows(pairs) {
    return pairs
      .map((pair) => ({ pair, entry: this.entry(pair) }))
      .filter(({ pair, entry }) => entry && (entry.decision || entry.comment || pair.recorded));
  }

  static row(pair, entry) {
    const { decision, at, by, comment, feedback, placement, boxes, seed, attempts, attempt } = entry;
    return {
      name: pair.name,
      sidecar: pair.sidecar,
      result: pair.result_uri || null,
      manifest_generation: pair.generation,
      status: pair.status,
      decision,
      decided: at,
      by, comment, feedback, placement, boxes, seed, attempts, attempt,
    };
  }

  asJson(pairs) {
    const decisions = this.rows(pairs).map(({ pair, entry }) => Decisions.row(pair, entry));
    return JSON.stringify({ title: this.title, exported: new Date().toISOString(), decisions }, null, 2) + "\n";
  }

  asCsv(pairs) {
    const head = [
      "name", "status", "decision", "decided", "failed_checks", "cost_usd", "result", "manifest_generation",
      "title", "by", "comment", "feedback",
    ];
    const lines = this.rows(pairs).map(({ pair, entry }) => [
      pair.name, pair.status, entry.decision ?? "", entry.at,
      failedChecks(pair).map((check) => check.name).join(" "),
      pair.usd ?? "", pair.result_uri, pair.generation,
      pair.title, entry.by ?? "", entry.comment ?? "", entry.feedback ?? "",
    ]);
    // The mark at the start tells Excel that this is UTF-8.
    return "\ufeff" + [head, ...lines].map((line) => line.map(csvCell).join(",") + "\r\n").join("");
  }
}

// Who decides: typed once, and remembered by the browser for every page.
const REVIEWER_KEY = "review-by";

function reviewer() {
  return byId("by").value.trim();
}

function rememberedReviewer() {
  try {
    return window.localStorage.getItem(REVIEWER_KEY) ?? "";
  } catch {
    return "";
  }
}

function rememberReviewer() {
  try {
    window.localStorage.setItem(REVIEWER_KEY, reviewer());
  } catch {
    // it is typed again next time
  }
}

// A cell that starts like a formula would be run by a spreadsheet: an apostrophe makes it text.
function csvCell(value) {
  const text = String(value);
  const safe = /^[=+\-@\t\r]/.test(text) && typeof value !== "number" ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function downloadFile(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = element("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
