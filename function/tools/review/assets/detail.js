// One pair at a time: the picture, why it stands where it stands, and the two buttons.

class Detail {
  constructor(decisions, redo) {
    this.decisions = decisions;
    this.redo = redo;
    this.dialog = byId("detail");
    this.stage = new Stage();
    this.stage.onZoom = () => this.tools();
    this.loupe = new Loupe(this.stage);
    this.side = false;
    byId("mode-compare").addEventListener("click", () => this.setSide(false));
    byId("mode-side").addEventListener("click", () => this.setSide(true));
    byId("toggle-zoom").addEventListener("click", () => this.toggleZoom());
    byId("toggle-change").addEventListener("click", () => this.toggleChange());
    byId("toggle-blink").addEventListener("click", () => this.toggleBlink());
    byId("toggle-loupe").addEventListener("click", () => this.toggleLoupe());
    byId("zoom-in").addEventListener("click", () => this.zoomBy(ZOOM_STEP));
    byId("zoom-out").addEventListener("click", () => this.zoomBy(1 / ZOOM_STEP));
  }

  get pair() {
    return this.list?.[this.index];
  }

  // The result that is looked at: the first, or another one of several.
  get result() {
    return this.pair.results[this.chosen] ?? this.pair.results[0];
  }

  showResult(number) {
    if (!this.pair.results[number]?.picture) return;
    this.chosen = number;
    byId("side").replaceChildren(...sideBySide(this.pair, this.result));
    const [width, height] = this.result.picture.size;
    this.dialog.style.setProperty("--aspect", width / height);
    this.stage.show(this.pair, this.result);
    this.loupe.show(this.pair, number === 0);
    resultStrip(this.pair, number, (other) => this.showResult(other));
    this.tools();
  }

  get isOpen() {
    return this.dialog.open;
  }

  open(list, index) {
    this.list = list;
    if (!this.isOpen) this.dialog.showModal();
    this.show(index);
    byId("detail-heading").focus({ preventScroll: true });
  }

  show(index) {
    this.index = index;
    this.chosen = 0;
    const pair = this.pair;
    byId("detail-title").textContent = pair.title;
    byId("detail-title").hidden = pair.title === shortName(pair);
    byId("detail-name").replaceChildren(element("span", "folder", folderName(pair)), shortName(pair));
    byId("position").textContent = `${wholeNumber.format(index + 1)} of ${wholeNumber.format(this.list.length)}`;
    byId("previous").disabled = index === 0;
    byId("next").disabled = index === this.list.length - 1;
    byId("side").replaceChildren(...sideBySide(pair, this.result));
    byId("facts").replaceChildren(...facts(pair));
    byId("facts").scrollTop = 0;
    const [width, height] = (pair.pictures.result ?? pair.pictures.scene)?.size ?? [4, 3];
    this.dialog.style.setProperty("--aspect", width / height);
    this.setSide(this.side);
    this.stage.show(pair, this.result);
    this.loupe.show(pair);
    resultStrip(pair, 0, (other) => this.showResult(other));
    filmstrip(pair, (shown, attempt) => this.redo.openAttempt(shown, attempt));
    this.tools();
    this.showDecision();
    this.preload(this.list[index + 1]);
  }

  preload(pair) {
    for (const picture of [pair?.pictures.result, pair?.pictures.scene]) {
      if (picture?.preview) new Image().src = picture.preview;
    }
  }

  setSide(side) {
    this.side = side;
    if (side) this.stage.blink(false);
    const shown = side || !this.pair.pictures.result; // nothing to compare with: show what there is
    byId("stage").hidden = shown;
    byId("side").hidden = !shown;
    this.stage.layout();
    this.tools();
  }

  toggleZoom() {
    this.side = false;
    this.setSide(false);
    this.stage.zoom(!this.stage.zoomed);
  }

  toggleChange() {
    this.setSide(false);
    this.stage.showChange(!this.stage.changeShown);
    this.tools();
  }

  toggleBlink() {
    const one = window.matchMedia("(prefers-reduced-motion: reduce)").matches && this.stage.blinks;
    this.setSide(false);
    this.stage.blink(!this.stage.blinks);
    if (one) this.stage.seesScene = false;
    this.tools();
  }

  toggleLoupe() {
    this.setSide(false);
    this.loupe.toggle(!this.loupe.shown);
    this.tools();
  }

  zoomBy(factor) {
    this.setSide(false);
    this.stage.zoomBy(factor);
  }

  tools() {
    const result = this.result.picture;
    const scene = this.result.compares || !result ? this.pair.pictures.scene : null;
    const change = this.result.compares && hasChanges(this.pair);
    const side = !byId("side").hidden;
    const press = (id, pressed, disabled) => {
      byId(id).setAttribute("aria-pressed", String(pressed));
      byId(id).disabled = disabled;
    };
    press("mode-compare", !side, !result);
    press("mode-side", side, false);
    press("toggle-zoom", !side && this.stage.scale === 1, !result);
    press("toggle-blink", !side && this.stage.blinks, !result || !scene);
    press("toggle-loupe", !side && !byId("loupe").hidden, !this.loupe.possible);
    byId("loupe").classList.toggle("is-gone", side);
    byId("zoom-in").disabled = !result || this.stage.scale >= MAX_ZOOM;
    byId("zoom-out").disabled = !result || !this.stage.zoomed;
    press("toggle-change", !side && Boolean(change) && this.stage.changeShown, !result || !change);
    byId("stage-note").replaceChildren(...this.note(side, result, scene));
  }

  note(side, result, scene) {
    if (side || !result) return [];
    if (!this.result.compares) return ["This picture shows the scene in a shape of its own, on a background: there is nothing to lay over it."];
    if (!scene) return ["The scene was not kept, or is not there any more: there is nothing to compare with."];
    if (!this.stage.zoomed) return ["Drag across the picture to compare it with the scene. Turn the wheel, or pinch, to enlarge it."];
    const percent = `${Math.round(100 * this.stage.scale)} %`;
    if (result.full) return [`${percent} of the original pixels. Drag to move.`];
    const size = result.size.map((px) => wholeNumber.format(px)).join(" × ");
    return [`A preview, enlarged: the original has ${size} pixels. `, originalLink(this.result)];
  }

  showDecision() {
    const decision = this.decisions.of(this.pair);
    const again = isAgain(this.pair, decision);
    const possible = Boolean(this.pair.result_uri) && !this.pair.waiting;
    for (const id of ["accept", "reject"]) {
      byId(id).setAttribute("aria-pressed", String(decision === id));
      byId(id).disabled = !possible;
    }
    byId("redo-open").disabled = again && Boolean(data.served);
    byId("redo-open").setAttribute("aria-pressed", String(again));
    byId("undo").hidden = decision === null || (again && Boolean(data.served));
    const by = this.pair.decided_by && this.pair.recorded === decision ? decidedWords(this.pair, decision) : "";
    const waits = this.pair.waiting?.by ? `${AGAIN[this.pair.waiting.asked]}, says ${this.pair.waiting.by}` : again ? AGAIN[this.pair.waiting?.asked ?? decision] : "";
    byId("decided").textContent = waits || by;
    const comment = byId("comment");
    if (document.activeElement !== comment) comment.value = this.decisions.comment(this.pair);
    comment.disabled = !possible;
  }
}

// Where the model changed the scene, where that was taken back, and where the product is not its photograph.
function hasChanges(pair) {
  return Boolean(pair.pictures.change || pair.undone.length || pair.identity?.changed.length || pair.asked_place?.scene.length);
}

// All results of a pair that has several, with their names and sizes.
function resultStrip(pair, chosen, open) {
  const strip = byId("results");
  strip.hidden = pair.results.length < 2;
  strip.replaceChildren(...(strip.hidden ? [] : pair.results.map((result, number) => {
    const image = element("img");
    if (result.picture) Object.assign(image, { src: result.picture.thumb, alt: "", loading: "lazy" });
    const size = result.picture ? result.picture.size.join(" × ") : "not there any more";
    const button = element("button", "", image, element("b", "", result.name), " ", element("span", "", size));
    Object.assign(button, { type: "button", disabled: !result.picture });
    button.setAttribute("aria-pressed", String(number === chosen));
    button.addEventListener("click", () => open(number));
    return element("li", number === chosen ? "is-shown" : "", button);
  })));
}

function originalLink(result) {
  if (!result.link) return element("code", "", result.uri);
  const link = element("a", "", "Open it");
  link.href = result.link;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  return link;
}

function sideBySide(pair, result) {
  const { scene, product } = pair.pictures;
  const shown = [
    ["Scene", scene, "scene", "The scene was not kept, or is not there any more."],
    [result.name || "Result", result.picture, "result", headline(pair)],
    [pair.view ? `Product, photograph ${pair.view.number} of ${pair.view.of}` : "Product", product, "product", "The product photograph is not there any more."],
  ];
  return shown.map(([title, picture, className, missing]) => {
    const frame = element("span", "frame");
    if (picture) {
      const image = element("img");
      image.src = picture.preview;
      image.alt = `${title} of ${pair.name}`;
      [image.width, image.height] = picture.size;
      frame.append(image, outlineMap(pair.asked_place?.[className], picture.size) ?? "");
    } else {
      frame.append(element("span", "missing", missing));
    }
    return element("figure", className, element("figcaption", "", title), frame);
  });
}

function facts(pair) {
  const parts = [statusBlock(pair)];
  if (pair.error) parts.push(errorBlock(pair.error));
  if (pair.checks.length) parts.push(element("h3", "", "Checks"), element("ul", "checks", ...pair.checks.map(checkRow)));
  if (pair.colours?.length) parts.push(element("h3", "", "Colours of the product"), colourRows(pair.colours));
  if (pair.products?.length) parts.push(element("h3", "", "Products"), definitions(pair.products.map(productRow)));
  if (pair.feedback) parts.push(element("h3", "", "What a person asked for"), element("p", "", pair.feedback));
  if (pair.style) parts.push(element("h3", "", "Style"), element("p", "", pair.style.name, " ", element("span", "small", `generation ${pair.style.generation}`)));
  if (pair.placement) parts.push(element("h3", "", "Placement asked for"), element("p", "", pair.placement));
  if (pair.asked_place) parts.push(element("h3", "", "Place asked for"), element("p", "", askedWords(pair.asked_place)));
  if (pair.pose && pair.pose !== "stand") parts.push(element("h3", "", "Pose asked for"), element("p", "", pair.pose));
  if (pair.provenance?.length) parts.push(element("h3", "", "Content credentials"), definitions(pair.provenance));
  if (Object.keys(pair.labels).length) parts.push(element("h3", "", "Labels"), definitions(Object.entries(pair.labels)));
  if (pair.attempts.length) parts.push(element("h3", "", "Attempts"), element("ol", "attempts", ...pair.attempts.map(attemptRow)));
  if (pair.person?.redone && !pair.earlier.length) {
    parts.push(element("p", "small", "Earlier pictures cannot be chosen here: they need a product that the model placed itself, in a scene that is a photograph."));
  }
  parts.push(element("h3", "", "Cost and time"), definitions(costRows(pair)));
  return parts;
}

function askedWords({ scene, height, facing }) {
  return [
    scene.length ? "Outlined in blue in the scene and the result, side by side, or with Changes." : "",
    height ? `${wholeNumber.format(height)} pixels of the scene tall.` : "",
    facing ? `Facing: ${facing}.` : "",
  ].filter(Boolean).join(" ");
}

function productRow(product) {
  const said = product.failed.length ? `did not pass: ${product.failed.join(", ")}` : "passed every check";
  return [product.name, product.placement ? `${said} (${product.placement})` : said];
}

function statusBlock(pair) {
  const status = element("span", `pill is-${pair.status}`, STATUS[pair.status].word);
  const failed = failedChecks(pair).length;
  const sentence = {
    accepted: "Every check passed.",
    review: failed ? `${count(failed, "check")} did not pass. Please look.` : "A person should look.",
    failed: "No picture could be kept.",
  }[pair.status];
  const risk = pair.risk === null ? "" : `Risk that you would reject it: ${percent(pair.risk)}.`;
  return element("p", "verdict", status, element("span", "", sentence), risk && element("span", "small", risk));
}

function errorBlock(error) {
  const again = error.retryable ? "Trying again may help." : "Trying again as it is will not help.";
  return element("div", "error", element("strong", "", error.title),
    element("p", "", error.message), element("p", "small", [error.stage && `At: ${error.stage}.`, again].filter(Boolean).join(" ")));
}

function checkRow(check) {
  const mark = { true: "✓", false: "✕", null: "–" }[check.passed];
  const word = { true: "passed", false: "did not pass", null: "not judged" }[check.passed];
  const sign = element("span", "sign", mark);
  sign.setAttribute("role", "img");
  sign.setAttribute("aria-label", word);
  const row = element("li", `check is-${check.passed}`, sign, element("span", "check-title", check.title));
  if (check.reason) row.append(element("span", "check-reason", check.reason));
  const bar = checkBar(check);
  if (bar) row.append(bar);
  row.append(element("span", "check-figures", checkFigures(check)));
  return row;
}

// The photograph's colours beside the result's at the same places; the light of the scene is part of the difference.
function colourRows(colours) {
  const swatch = (colour, title) => {
    const box = element("span", "swatch");
    box.style.background = colour;
    box.setAttribute("role", "img");
    box.setAttribute("aria-label", `${title} ${colour}`);
    return box;
  };
  return element("ul", "colours", ...colours.map(([photograph, result, difference]) => element("li", "",
    swatch(photograph, "photograph"), swatch(result, "result"),
    element("span", "check-figures", `${photograph} → ${result}, ΔE ${figure(difference)}`))));
}

// A small bar: how far the value reaches, and a tick where the threshold is.
function checkBar({ value, threshold }) {
  if (value === null || threshold === null || value < 0 || threshold < 0) return null;
  const most = Math.max(value, threshold);
  const end = most > 0.5 && most <= 1 ? 1 : most * 1.25 || 1; // a ratio ends at 1
  const bar = element("span", "bar", element("span", "bar-value"), element("span", "bar-limit"));
  bar.setAttribute("aria-hidden", "true");
  bar.style.setProperty("--value", `${(100 * value) / end}%`);
  bar.style.setProperty("--limit", `${(100 * threshold) / end}%`);
  return bar;
}

function attemptRow(attempt) {
  const figures = [
    attempt.latency_ms !== null && duration(attempt.latency_ms),
    attempt.usd !== null && pictureCost(attempt.usd),
  ].filter(Boolean).join(", ");
  const words = [attempt.purpose === "scene" && "scene from text", attempt.outcome, attempt.tier === "batch" && "by batch", attempt.finish_reason && attempt.finish_reason !== "STOP" && attempt.finish_reason]
    .filter(Boolean).join(", ").replaceAll("_", " ");
  return element("li", "", element("span", "", words || "tried"), element("span", "figures", figures),
    attempt.message ? element("span", "small", attempt.message) : null,
    attempt.failed.length ? element("span", "small", `Did not pass: ${attempt.failed.join(", ")}`) : null);
}

function costRows(pair) {
  const rows = [];
  if (pair.usd !== null) rows.push(["Cost", pictureCost(pair.usd)]);
  if (pair.tokens !== null) rows.push(["Tokens", wholeNumber.format(pair.tokens)]);
  if (pair.model) rows.push(["Model", pair.model]);
  for (const { name, picture } of pair.results) {
    if (picture) rows.push([name ? `Size, ${name}` : "Size", picture.size.map((px) => wholeNumber.format(px)).join(" × ")]);
  }
  if (moment(pair.created)) rows.push(["Made", moment(pair.created)]);
  const { total, ...steps } = pair.timings;
  if (total !== undefined) rows.push(["Time", duration(total)]);
  for (const [step, ms] of Object.entries(steps)) rows.push([step, duration(ms), "step"]);
  for (const result of pair.results) {
    if (result.uri) rows.push([result.name ? `Stored as, ${result.name}` : "Stored as", result.link ? originalLink(result) : result.uri]);
  }
  return rows;
}

function definitions(rows) {
  return element("dl", "facts-list", ...rows.flatMap(([name, value, className]) => [
    element("dt", className, name), element("dd", className, value)]));
}
