// Asking for another picture: made again with the person's words, or another attempt picked.

const MAX_FEEDBACK = 500; // characters, as the manifest takes them

class Redo {
  constructor(decisions, done) {
    this.decisions = decisions;
    this.done = done;
    this.dialog = byId("redo");
    this.place = new Place(() => this.tell());
    byId("redo-form").addEventListener("input", () => this.tell());
    byId("redo-form").addEventListener("submit", (event) => { event.preventDefault(); this.send(); });
    byId("redo-copy").addEventListener("click", () => copyText("redo-command", "redo-copy"));
    byId("pick-use").addEventListener("click", () => this.pick());
    byId("pick-copy").addEventListener("click", () => copyText("pick-command", "pick-copy"));
    for (const command of document.querySelectorAll(".command-line")) command.hidden = Boolean(data.served);
    byId("redo-send").textContent = data.served ? "Make it again" : "Add to my decisions";
    byId("pick-use").textContent = data.served ? "Use this one" : "Add to my decisions";
  }

  open(pair) {
    this.pair = pair;
    byId("redo-name").textContent = pair.title;
    const failed = failedChecks(pair).filter((check) => check.lesson);
    byId("redo-chips").hidden = failed.length === 0;
    byId("redo-chips").replaceChildren(element("legend", "", "What is wrong"), ...failed.map((check) => {
      const box = element("input");
      Object.assign(box, { type: "checkbox", checked: true, value: check.lesson });
      return element("label", "chip", box, element("span", "", check.title));
    }));
    byId("redo-words").value = pair.feedback;
    byId("redo-placement").value = pair.placement;
    byId("redo-seed").value = "";
    byId("redo-attempts").value = "";
    byId("redo-attempts").placeholder = String(data.attempts);
    this.place.open(pair);
    this.tell();
    this.dialog.showModal();
    byId("redo-words").focus();
  }

  feedback() {
    const chips = [...byId("redo-chips").querySelectorAll("input:checked")].map((box) => box.value);
    return [byId("redo-words").value.trim(), ...chips].filter(Boolean).join(" ").slice(0, MAX_FEEDBACK);
  }

  // What is changed, as the decisions and the command line say it.
  details() {
    const number = (id) => (byId(id).value === "" ? undefined : Math.round(Number(byId(id).value)));
    const placement = byId("redo-placement").value.trim();
    return {
      feedback: this.feedback(),
      placement: placement === this.pair.placement ? undefined : placement,
      boxes: Object.keys(this.place.boxes).length ? { ...this.place.boxes } : undefined,
      seed: number("redo-seed"),
      attempts: number("redo-attempts"),
    };
  }

  tell() {
    const { feedback, placement, boxes, seed, attempts } = this.details();
    const each = data.prices[this.pair.model];
    const most = attempts ?? data.attempts;
    byId("redo-price").textContent = each === undefined
      ? `It costs up to ${count(most, "picture")}.`
      : `About ${pictureCost(each)}, at most ${pictureCost(each * most)} (${count(most, "picture")} of ${this.pair.model}). The function's own caps hold.`;
    byId("redo-left").textContent = `${wholeNumber.format(MAX_FEEDBACK - feedback.length)} characters left`;
    byId("redo-command").textContent = command(this.pair, "redo", {
      reason: feedback || undefined, placement, box: Object.entries(boxes ?? {}).map(boxOption), seed, attempts,
    });
  }

  send() {
    this.dialog.close();
    this.decisions.set(this.pair, "redo", this.details());
    this.done(this.pair, "is asked for again");
  }

  openAttempt(pair, attempt) {
    this.pair = pair;
    this.attempt = attempt;
    byId("pick-title").textContent = attemptTitle(attempt);
    const image = byId("pick-image");
    image.src = attempt.picture.preview;
    image.alt = `What the model drew: ${attemptTitle(attempt)}`;
    [image.width, image.height] = attempt.picture.size;
    const said = attempt.failed.length ? `Did not pass: ${attempt.failed.join(", ")}.` : "Every check passed.";
    byId("pick-text").textContent = `${said} This is the model's own picture; the result gets the scene's and the product's pixels back. Nothing is paid.`;
    byId("pick-use").disabled = attempt.number === pair.shown_attempt;
    byId("pick-command").textContent = command(pair, "pick", { attempt: attempt.number });
    byId("attempt").showModal();
  }

  pick() {
    byId("attempt").close();
    this.decisions.set(this.pair, "pick", { attempt: this.attempt.number });
    this.done(this.pair, `gets attempt ${this.attempt.number}`);
  }
}

// The command that does the same, for a page that is a file.
function command(pair, decision, options) {
  const said = Object.entries({ ...options, by: reviewer() || undefined })
    .flatMap(([name, value]) => [value ?? []].flat().map((one) => ` --${name} ${shellWord(String(one))}`)).join("");
  return `python -m function decide ${shellWord(data.output)} --${decision} ${shellWord(pair.name)}${said}`;
}

const boxOption = ([whose, box]) => (whose === ONLY ? box.join(" ") : `${whose}=${box.join(" ")}`);

function shellWord(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

async function copyText(id, button) {
  const text = byId(id);
  try {
    await navigator.clipboard.writeText(text.textContent);
    byId(button).textContent = "Copied";
  } catch {
    window.getSelection().selectAllChildren(text); // a page from a file may not copy: it is marked, to be copied by hand
    byId(button).textContent = "Press Ctrl+C";
  }
  setTimeout(() => { byId(button).textContent = "Copy"; }, 2500);
}

const RUN_STEP = 100; // as the sidecar counts attempts from before a pair was made again

function attemptTitle({ number }) {
  return number < RUN_STEP ? `Attempt ${number}` : `Attempt ${number % RUN_STEP}, before it was made again`;
}

// All attempts of a pair, also from before it was made again, smallest first: which is shown, and what the checks said of each.
function filmstrip(pair, open) {
  const shown = [...pair.earlier, ...pair.attempts].filter((attempt) => attempt.picture);
  byId("filmstrip").hidden = shown.length < 2;
  byId("filmstrip").replaceChildren(...(shown.length < 2 ? [] : shown.map((attempt) => {
    const image = element("img");
    Object.assign(image, { src: attempt.picture.preview, alt: "", loading: "lazy" });
    const isShown = attempt.number === pair.shown_attempt;
    const verdict = attempt.failed.length ? `${count(attempt.failed.length, "check")} failed` : "passed";
    const button = element("button", "", image,
      element("span", "", attempt.number < RUN_STEP ? `${attempt.number}. ${verdict}` : `before: ${verdict}`), isShown ? element("b", "", "shown") : null);
    button.type = "button";
    button.addEventListener("click", () => open(pair, attempt));
    return element("li", isShown ? "is-shown" : "", button);
  })));
}
