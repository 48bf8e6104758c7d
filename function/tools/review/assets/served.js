// A page that is served: decisions go to the bucket at once, and rows that have changed come back by themselves.

const POLL_MS = 1500;
const PIECE = 200; // decisions a request

class ServedDecisions extends Decisions {
  constructor(pageId, title, refused) {
    super(pageId, title);
    this.refused = refused;
    this.sending = Promise.resolve();
  }

  read() {
    return {}; // the bucket keeps them
  }

  keep() {
    this.changed = false;
  }

  setMany(changes) {
    super.setMany(changes);
    const rows = changes.map(({ pair }) => ({ pair, row: Decisions.row(pair, this.entry(pair)) }));
    // In the order in which they were made, so that the last one stands.
    this.sending = this.sending.then(() => this.send(rows));
  }

  async send(rows) {
    for (let start = 0; start < rows.length; start += PIECE) {
      const piece = rows.slice(start, start + PIECE);
      try {
        const { outcomes } = await post("decisions", { decisions: piece.map(({ row }) => row) });
        outcomes.forEach(({ outcome, said }, index) => {
          if (outcome !== "written") this.takeBack(piece[index].pair, said);
        });
      } catch (problem) {
        for (const { pair } of piece) this.takeBack(pair, problem.message);
      }
    }
  }

  takeBack(pair, said) {
    delete this.entries[Decisions.entryKey(pair)];
    this.refused(pair, said);
  }

  // The bucket says so itself now.
  confirm(pair) {
    const entry = this.entry(pair);
    if (!entry) return;
    const about = entry.decision === "redo" || entry.decision === "pick";
    if (about ? pair.waiting : (entry.decision ?? null) === (pair.recorded ?? null)) {
      delete this.entries[Decisions.entryKey(pair)];
    }
  }
}

async function post(path, value) {
  const answer = await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(value),
  });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error);
  return body;
}

// Asks for changes again and again; `changed` is given each answer, `lost` what is wrong (or null).
function follow(version, changed, lost) {
  let known = version;
  const look = async () => {
    try {
      const answer = await fetch(`changes?since=${known}`);
      const body = await answer.json();
      if (!answer.ok) throw new Error(body.error);
      known = body.version;
      changed(body);
      lost(body.problem || null);
    } catch (problem) {
      lost(`The server does not answer any more (${problem.message}). Start it again, and open its new address.`);
    }
    setTimeout(look, POLL_MS);
  };
  setTimeout(look, POLL_MS);
}
