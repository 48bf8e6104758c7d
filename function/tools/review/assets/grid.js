// The grid: one card a pair, made once; filters and sorting only choose and order the cards.
// The first screens are there at once, the rest follows in pieces while the page can be used already.

const FIRST_CARDS = 60; // more than a large screen shows
const MORE_CARDS = 100; // a few milliseconds of work at a time

const ORDERS = {
  status: (a, b) => STATUS[a.status].order - STATUS[b.status].order || compareNames(a, b),
  reason: (a, b) => compareReasons(reasonsOf(a), reasonsOf(b)) || compareNames(a, b),
  risk: (a, b) => (b.risk ?? -1) - (a.risk ?? -1) || compareNames(a, b),
  cost: (a, b) => (b.usd ?? -1) - (a.usd ?? -1) || compareNames(a, b),
  name: (a, b) => compareNames(a, b),
  newest: (a, b) => b.created.localeCompare(a.created) || compareNames(a, b),
  oldest: (a, b) => a.created.localeCompare(b.created) || compareNames(a, b),
};

const nameOrder = new Intl.Collator("en", { numeric: true });
const compareNames = (a, b) => nameOrder.compare(a.name, b.name);

// Equal reasons lie together, checks before errors; pairs that have none come last.
function compareReasons(a, b) {
  return Number(b.length > 0) - Number(a.length > 0) || nameOrder.compare(a[0] ?? "", b[0] ?? "");
}

class Grid {
  constructor(pairs, decisions, open) {
    this.pairs = pairs;
    this.decisions = decisions;
    this.root = byId("grid");
    this.shown = [];
    this.current = null;
    this.template = byId("card-template").content.firstElementChild;
    this.root.addEventListener("click", (event) => {
      const card = event.target.closest(".card");
      if (card) open(card.pair);
    });
    this.root.addEventListener("focusin", (event) => {
      const card = event.target.closest(".card");
      if (card) this.setCurrent(card.pair);
    });
  }

  show(wanted) {
    const { status, reason, search, sort } = wanted;
    const words = search.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = this.pairs
      .filter((pair) =>
        (!status || pair.status === status) &&
        (!reason || reasonsOf(pair).includes(reason)) &&
        passes(pair, wanted, this.decisions.of(pair)) &&
        words.every((word) => searchText(pair).includes(word)))
      .sort(ORDERS[sort]);
    if (shown.length !== this.shown.length || shown.some((pair, index) => pair !== this.shown[index])) {
      this.shown = shown;
      this.added = 0;
      this.root.replaceChildren();
      this.add(FIRST_CARDS);
      this.addMoreLater();
    }
    this.setCurrent(shown.includes(this.current) ? this.current : shown[0] ?? null);
  }

  add(number) {
    const added = this.shown.slice(this.added, this.added + number);
    this.root.append(...added.map((pair) => (pair.card ??= this.makeCard(pair))));
    this.added += added.length;
  }

  addMoreLater() {
    clearTimeout(this.timer);
    if (this.added === this.shown.length) return;
    this.timer = setTimeout(() => {
      this.add(MORE_CARDS);
      this.addMoreLater();
    });
  }

  makeCard(pair) {
    const card = this.template.cloneNode(true);
    card.pair = pair;
    const find = (selector) => card.querySelector(selector);
    const picture = pair.pictures.result ?? pair.pictures.scene;
    const image = find("img");
    if (picture?.thumb) {
      image.style.objectPosition = inPart(pair.focus, pair.results[0]?.shown ?? [0, 0, 1, 1]).map((share) => `${100 * share}%`).join(" "); // keeps the product in sight
      image.src = picture.thumb;
    } else {
      image.remove();
      find(".photo-empty").textContent = pair.pictures.result ? "" : "No picture";
    }
    card.classList.add(`is-${pair.status}`);
    find(".title").textContent = pair.title;
    find(".name").textContent = shortName(pair);
    find(".name").hidden = pair.title === shortName(pair);
    this.mark(pair, card);
    return card;
  }

  // A row has changed: its card is made again, in its place.
  update(pair) {
    const card = pair.card;
    pair.card = pair.searchText = undefined;
    if (!card) return;
    const focused = card.contains(document.activeElement);
    pair.card = this.makeCard(pair);
    pair.card.firstElementChild.setAttribute("tabindex", card.firstElementChild.getAttribute("tabindex"));
    card.replaceWith(pair.card);
    if (focused) pair.card.firstElementChild.focus();
  }

  mark(pair, card = pair.card) {
    if (!card) return; // not made yet: it will be made with its mark
    const decision = this.decisions.of(pair);
    const again = isAgain(pair, decision);
    card.classList.toggle("is-again", again);
    card.querySelector(".status").textContent = again ? AGAIN[pair.waiting?.asked ?? decision] : STATUS[pair.status].word;
    card.querySelector(".reason").textContent = again || pair.status === "accepted" ? "" : headline(pair);
    const mark = card.querySelector(".mark");
    mark.hidden = decision === null;
    mark.className = `mark is-${decision}`;
    mark.textContent = decision ? DECISION[decision].sign : "";
    const label = decision ? decidedWords(pair, decision) : "";
    mark.title = label;
    if (label) mark.setAttribute("aria-label", label);
    else mark.removeAttribute("aria-label");
    mark.setAttribute("role", "img");
  }

  setCurrent(pair) {
    this.current?.card?.firstElementChild.setAttribute("tabindex", "-1");
    this.current = pair;
    if (pair && !pair.card) this.add(this.shown.indexOf(pair) + 1 - this.added);
    pair?.card.firstElementChild.setAttribute("tabindex", "0");
  }

  focus(pair) {
    const index = this.shown.indexOf(pair);
    if (index < 0) return;
    if (index >= this.added) this.add(index + 1 - this.added);
    pair.card.firstElementChild.focus();
    pair.card.scrollIntoView({ block: "nearest" });
  }

  // How far an arrow key goes: rows are as wide as the layout made them.
  move(key) {
    const columns = getComputedStyle(this.root).gridTemplateColumns.split(" ").length;
    const step = { ArrowRight: 1, j: 1, ArrowLeft: -1, k: -1, ArrowDown: columns, ArrowUp: -columns }[key];
    const from = this.shown.indexOf(this.current);
    if (!this.root.contains(document.activeElement)) return this.focus(this.current);
    this.focus(this.shown[Math.min(Math.max(from + step, 0), this.shown.length - 1)]);
  }
}

function reasonsOf(pair) {
  const checks = failedChecks(pair).map((check) => `check:${check.name}`);
  return pair.error ? [...checks, `error:${pair.error.code}`] : checks;
}

function searchText(pair) {
  pair.searchText ??= [
    pair.name, pair.title, pair.status, pair.model, pair.placement, pair.comment, pair.feedback, pair.error?.code, pair.error?.message,
    ...Object.entries(pair.labels).flat(), ...failedChecks(pair).map((check) => check.title),
  ].join("\n").toLowerCase();
  return pair.searchText;
}
