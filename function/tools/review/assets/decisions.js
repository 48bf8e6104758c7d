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

  of(pair) {
    const entry = this.entries[Decisions.entryKey(pair)];
    return (entry ? entry.decision : pair.recorded) ?? null;
  }

  set(pair, decision) {
    if (this.kept) this.entries = { ...this.entries, ...this.read() }; // another tab may have decided too
    this.entries[Decisions.entryKey(pair)] = { decision, at: new Date().toISOString() };
    this.changed = true;
    try {
      window.localStorage.setItem(this.key, JSON.stringify(this.entries));
    } catch {
      this.kept = false;
    }
  }

  // Those made here, and a withdrawn one (decision null) where the bucket still has it.
  rows(pairs) {
    return pairs
      .map((pair) => ({ pair, entry: this.entries[Decisions.entryKey(pair)] }))
      .filter(({ pair, entry }) => entry && (entry.decision || pair.recorded));
  }

  asJson(pairs) {
    const decisions = this.rows(pairs).map(({ pair, entry }) => ({
      name: pair.name,
      sidecar: pair.sidecar,
      result: pair.result_uri,
      manifest_generation: pair.generation,
      status: pair.status,
      decision: entry.decision,
      decided: entry.at,
    }));
    return JSON.stringify({ title: this.title, exported: new Date().toISOString(), decisions }, null, 2) + "\n";
  }

  asCsv(pairs) {
    const head = ["name", "status", "decision", "decided", "failed_checks", "cost_usd", "result", "manifest_generation"];
    const lines = this.rows(pairs).map(({ pair, entry }) => [
      pair.name, pair.status, entry.decision ?? "", entry.at,
      failedChecks(pair).map((check) => check.name).join(" "),
      pair.usd ?? "", pair.result_uri, pair.generation,
    ]);
    // The mark at the start tells Excel that this is UTF-8.
    return "\ufeff" + [head, ...lines].map((line) => line.map(csvCell).join(",") + "\r\n").join("");
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
