// Words, figures and elements. Values of a manifest become text nodes only, never markup.

const byId = (id) => document.getElementById(id);

function element(tag, className, ...children) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return node;
}

const STATUS = {
  review: { word: "Review", order: 0 },
  failed: { word: "Failed", order: 1 },
  accepted: { word: "Accepted", order: 2 },
};
const DECISION = {
  accept: { word: "accepted", sign: "✓" },
  reject: { word: "rejected", sign: "✕" },
  redo: { word: "asked again for", sign: "↻" },
  pick: { word: "picked another attempt for", sign: "⇄" },
};
const AGAIN = { redo: "To be made again", pick: "Another attempt", upload: "Uploaded again" };
const isAgain = (pair, decision) => Boolean(pair.waiting) || decision === "redo" || decision === "pick";

const wholeNumber = new Intl.NumberFormat("en");
const dollars = (usd, digits) =>
  new Intl.NumberFormat("en", {
    style: "currency", currency: "USD", minimumFractionDigits: digits, maximumFractionDigits: digits,
  }).format(usd);
const totalCost = (usd) => dollars(usd, 2);
const pictureCost = (usd) => dollars(usd, 3);

const count = (number, one, many = `${one}s`) => `${wholeNumber.format(number)} ${number === 1 ? one : many}`;
const percent = (share) => `${Math.round(100 * share)} %`;
const duration = (ms) => (ms < 950 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);
const figure = (value) =>
  Number.isInteger(value) ? wholeNumber.format(value) : new Intl.NumberFormat("en", { maximumSignificantDigits: 3 }).format(value);

function withUnit(value, unit) {
  if (/^share\b/.test(unit)) return `${figure(100 * value)} %${unit.slice("share".length)}`; // "3.4 % of the picture"
  const bare = !unit || ["ratio", "1", "score"].includes(unit);
  return bare ? figure(value) : `${figure(value)} ${unit}`;
}

function moment(iso) {
  const time = new Date(iso);
  return Number.isNaN(time.getTime())
    ? ""
    : new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" }).format(time);
}

// Who made the stored decision, and when: "jo accepted it, Nov 20, 2026, 9:00 AM". What is decided here is yours.
function decidedWords(pair, decision) {
  const recorded = pair.recorded === decision;
  const when = recorded ? moment(pair.decided_at) : "";
  return `${(recorded && pair.decided_by) || "You"} ${DECISION[decision].word} it${when && `, ${when}`}`;
}

// "0.42, at least 0.6 needed"
function checkFigures(check) {
  if (check.value === null) return "";
  const value = withUnit(check.value, check.unit);
  if (check.threshold === null) return value;
  const threshold = withUnit(check.threshold, /^share\b/.test(check.unit) ? "share" : "");
  return { least: `${value}, at least ${threshold} needed`, most: `${value}, at most ${threshold} allowed` }[check.limit]
    ?? `${value}, the limit is ${threshold}`;
}

const failedChecks = (pair) => pair.checks.filter((check) => check.passed === false);

// Why the pair stands where it stands, in one short sentence.
function headline(pair) {
  if (pair.status === "failed") return pair.error ? pair.error.message || pair.error.title : "No picture could be kept";
  const failed = failedChecks(pair);
  if (failed.length === 0) return pair.status === "review" ? "A person should look" : "Every check passed";
  const more = failed.length > 1 ? ` (and ${failed.length - 1} more)` : "";
  return (failed[0].reason || `${failed[0].title}: ${checkFigures(failed[0]) || "did not pass"}`) + more;
}

const folderName = (pair) => pair.name.slice(0, pair.name.lastIndexOf("/") + 1);
const shortName = (pair) => pair.name.slice(folderName(pair).length) || pair.name;
