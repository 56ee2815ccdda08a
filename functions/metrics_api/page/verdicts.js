// Which variant of an experiment is better, in sentences. The API judges; here its verdicts are written out.

import { RUNS } from "./asking.js";
import { button, element, number, scrolled, table, unit } from "./dom.js";

const POINTS = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 2, signDisplay: "exceptZero" });
const CLASSES = { better: "pass", worse: "fail", "unequal samples": "warn" };

// A difference of shares is in percentage points, and one of money in its currency.
const differing = (metric, currency) => (value) => {
  if (metric.unit === "share") return `${POINTS.format(100 * value)} points`;
  if (metric.unit === "minor") return `${value > 0 ? "+\u2060" : ""}${unit("minor", currency)(value)}`;
  return POINTS.format(value);
};

const sentence = (row, one, currency) => {
  const value = unit(row.metric.unit, currency);
  const change = differing(row.metric, currency);
  const both = `${value(one.value)} against ${value(row.value)}`;
  const span = one.at_least === null ? "" : `between ${change(one.at_least)} and ${change(one.at_most)}`;
  return {
    better: () => `${one.variant} has more than ${row.control}: ${both}. The difference is ${span}.`,
    worse: () => `${one.variant} has less than ${row.control}: ${both}. The difference is ${span}.`,
    "not conclusive": () => `${one.variant} may differ from ${row.control} by chance: ${both}.${span ? ` The difference is ${span}.` : ""}`,
    "too few players": () => `Too few players to tell ${one.variant} from ${row.control}: ${both}, of ${number.format(one.players)} and ${number.format(row.players)} players.`,
    "unequal samples": () => `${one.variant} is not judged: on day ${row.day} it has ${number.format(one.players)} players, and ${row.control} has ${number.format(row.players)}. That is too far from what is meant to be chance. Something loses players of one variant: find it first.`,
  }[one.verdict]();
};

// How the players are spread over the variants, and whether that can be chance.
const samples = ({ samples: found, samples_day: day, is_unequal: isUnequal, has_more_variants: hasMore }) => {
  const counts = found.map((one) => `${one.variant} ${number.format(one.players)}${one.share === null ? "" : ` (share ${one.share})`}`).join(", ");
  const meant = found.some((one) => one.share !== null) ? "the shares that were set" : "equal shares";
  const more = hasMore ? " The experiment has more variants: those with most players are compared." : "";
  return isUnequal
    ? element("p", `Unequal samples on day ${day}: ${counts}. These players are too far from ${meant} to be chance.${more}`, { class: "verdict-line verdict warn" })
    : element("p", `Players on day ${day}: ${counts}. These numbers fit ${meant}.${more}`, { class: "note" });
};

export const verdicts = (spec, context) => {
  const section = element("section", null, { class: `panel ${spec.width ?? ""}`, id: "verdicts", "aria-busy": "true" });
  const state = element("div", null, { class: "state", "aria-live": "polite" });
  const note = element("p", null, { class: "note" });
  section.append(element("h2", spec.title), state, note);
  const say = (outcome, ...nodes) => {
    state.replaceChildren(...nodes);
    note.textContent = "";
    section.toggleAttribute("aria-busy", outcome === "waiting");
    if (outcome === "waiting") section.setAttribute("aria-busy", "true"); else section.dataset.state = outcome;
    return outcome;
  };
  const wait = (text = "Reading the history…") => { say("waiting", element("p", text, { class: "waiting" })); };

  const path = (more) => {
    const asked = new URLSearchParams({ experiment: context.choice("experiment"), to: context.range().to, ...more });
    return `/v1/games/${encodeURIComponent(context.game)}/verdicts?${asked}`;
  };

  const render = (answers) => {
    const lines = answers.flatMap(({ rows, currency }) => rows.flatMap((row) => row.variants.map((one) => ({ row, one, currency }))));
    if (!lines.length) {
      return say("empty", element("p", answers[0].rows.length ? "The experiment has one variant: there is nothing to compare." : `No day 1 is over until ${answers[0].to}.`, { class: "empty" }));
    }
    say("full", samples(answers[0]), scrolled(table(spec.title, [
      ["Figure", ({ row }) => `${row.metric.label}, day ${row.day}`],
      ["Verdict", ({ one }) => element("span", one.verdict, { class: `verdict ${CLASSES[one.verdict] ?? "unknown"}` })],
      ["In words", ({ row, one, currency }) => sentence(row, one, currency)],
    ], lines, "words"), spec.title));
    note.textContent = `Of all exposures until ${answers[0].to} (UTC), whatever the first day is: who chooses where a range begins chooses the result. "better" means more. Each figure has its own verdict: choose the one that counts before you begin.`;
    return "full";
  };

  let newest = 0;
  const load = async () => {
    const mine = ++newest;
    if (!context.choice("experiment")) {
      const { from, to } = context.range();
      return say("empty", element("p", `No experiment from ${from} to ${to}.`, { class: "empty" }), element("p", `Filled by ${spec.filled} events.`, { class: "note" }));
    }
    wait();
    const currency = context.choice("currency");
    const waits = () => { if (mine === newest) wait(RUNS); };
    const found = await Promise.all([path({}), ...(currency ? [path({ currency })] : [])].map((one) => context.ask(one, waits)));
    if (mine !== newest || found.some((one) => !one)) return null;
    const failed = found.find((one) => !one.ok);
    if (!failed) return render(found.map((one) => one.body));
    const words = (failed.body.errors ?? []).map((error) => element("p", error.detail));
    return say("failed", element("p", failed.body.detail), ...words, button("Try again", load));
  };
  return { section, load, wait };
};
