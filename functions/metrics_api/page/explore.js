// Questions about single events. The address has the question as the API takes it, so that a link shows the same.
// The days are those of the shell, as in every view.

import { answers, costOf, CURRENCY, DEFAULTS, MEASURES, plainName } from "./answers.js";
import { asking, get, RUNS, send } from "./asking.js";
import { $, button, element, number, option, runs, save, show, utc } from "./dom.js";
import { NONE, saved as savedQuestions } from "./saved.js";

const PERCENTILES = [[50, "50 (median)"], [5, "5"], [25, "25"], [75, "75"], [90, "90"], [95, "95"], [99, "99"]];
const GRAINS = [["day", "day"], ["week", "week"], ["month", "month"], ["range", "all days"]];
const WINDOWS = [[10, "10 minutes"], [60, "1 hour"], [1440, "1 day"], [10080, "7 days"], [43200, "30 days"]];
const OPERATORS = [["is", "is"], ["is_not", "is not"], ["at_least", "at least"], ["at_most", "at most"], ["is_set", "has a value"], ["is_not_set", "has no value"]];
const NO_VALUES = ["is_set", "is_not_set"];
const NUMBERS = ["bigint", "double"];
const TIMES = [1, 2, 3, 5, 10, 20, 50, 100];
const MOST_STEPS = 8;
const MOST_FILTERS = 10;
let catalogue = null;
let question = null;
let context = null;
let kinds = [];
let saved = NONE;
let newest = 0;

const game = () => context.game;
const url = () => `/v1/games/${encodeURIComponent(game())}/explore`;
const eventOf = (name) => catalogue.events.find((one) => one.name === name);
const view = () => answers(question, catalogue);
const fieldsOf = (name) => [...catalogue.fields, ...(eventOf(name)?.fields ?? [])];

// The event whose fields the filters and "Group by" name, and the part of the question that has its filters.
const main = () => ({
  events: () => question, paths: () => question, cohort: () => question, player: () => question, funnel: () => question.steps[0], retention: () => question.first,
})[question.kind]();

// What a question of a kind begins with on the page.
const FRESH = {
  cohort: () => ({ event: "purchase" }),
  player: () => ({}),
  events: () => ({ event: catalogue.events[0].name }),
  funnel: () => ({ steps: [{ event: "session_start", where: [] }, { event: "purchase", where: [] }] }),
  retention: () => ({ first: { event: "session_start", where: [] }, returning: { event: "session_start", where: [] }, grain: "week" }),
  paths: () => ({ event: "session_start", leave_out: ["session_heartbeat"] }),
};

const fresh = (kind) => ({ kind, ...DEFAULTS[kind](), ...FRESH[kind]() });

const keep = () => context.put({ q: JSON.stringify(question) });

// An address may have been written by hand: what cannot be a question is replaced by the first one.
const read = async () => {
  try {
    const asked = context.params().get("q");
    const { from, to, ...found } = !asked && saved.name?.() ? await saved.document() : JSON.parse(asked);
    if (!kinds.includes(found.kind)) return fresh(kinds[0]);
    if (from && to && !context.params().get("from")) context.put({ from, to });
    return { ...DEFAULTS[found.kind](), ...found };
  } catch {
    return fresh(kinds[0]);
  }
};

const changed = () => { keep(); fill(); load(); };

const choice = (label, options, value, set, id) => {
  const holder = element("label", `${label} `);
  const select = element("select", null, id ? { id } : {});
  select.replaceChildren(...options.map(([name, text]) => option(name, text)));
  select.value = value;
  select.addEventListener("change", () => { set(select.value); changed(); });
  holder.append(select);
  return holder;
};

const events = (isAny) => [
  ...(isAny ? [["", "Any event"]] : []),
  ...catalogue.events.map((one) => [one.name, one.label]),
];

// Another event has other properties: what names the old ones is dropped.
const setEvent = (part, name) => {
  if (name) part.event = name; else delete part.event;
  part.where = [];
  if (part !== main()) return;
  if (question.by) question.by = question.by.filter((one) => catalogue.fields.some((field) => field.name === one));
  if (question.measure) question.measure = { of: "count" };
};

const measured = () => fieldsOf(question.event).filter((field) => NUMBERS.includes(field.kind));

const setMeasure = (of) => {
  question.measure = { of };
  if (["count", "players"].includes(of)) return;
  question.measure.field = measured()[0]?.name;
  if (of === "percentile") question.measure.percentile = PERCENTILES[0][0];
};

const grouping = () => {
  const fields = fieldsOf(main().event).filter((field) => field.kind !== "double");
  const options = [["", "nothing"], ...fields.map((field) => [field.name, plainName(field.name)])];
  const set = (place) => (name) => {
    const by = [...question.by];
    by[place] = name;
    question.by = [...new Set(by.filter(Boolean))];
  };
  const found = [choice("Group by", options, question.by[0] ?? "", set(0), "by")];
  if (question.by.length) found.push(choice("and by", options, question.by[1] ?? "", set(1), "by-2"));
  return found;
};

const grain = () => choice("A row for each", GRAINS, question.grain, (value) => { question.grain = value; }, "grain");

const times = (label, part, id) => {
  const known = TIMES.includes(part.at_least ?? 1) ? TIMES : [...TIMES, part.at_least];
  return choice(label, known.map((n) => [n, n === 1 ? "once" : `${n} times`]), part.at_least ?? 1, (value) => { part.at_least = Number(value); }, id);
};

// The page makes cohorts of the question's days; an address may have one with days and filters of its own.
const players = () => {
  const { cohort } = question;
  const none = [["", "all players"], ["any", "any event"]];
  const found = [choice("Of players with", [...none, ...events(false)], cohort ? cohort.event ?? "any" : "", (name) => {
    if (name) question.cohort = { ...(name === "any" ? {} : { event: name }), at_least: 1 }; else delete question.cohort;
  }, "cohort")];
  if (!cohort) return found;
  found.push(times("at least", cohort, "cohort-times"));
  const own = [cohort.from && `from ${cohort.from}`, cohort.to && `to ${cohort.to}`, cohort.where?.length && `with ${cohort.where.length} filters`].filter(Boolean);
  if (own.length) found.push(element("span", own.join(" "), { class: "note" }));
  return found;
};

const PARTS = {
  player: () => [
    text("Player id", question.player_id, (value) => { question.player_id = value; }, { id: "player", maxlength: "64" }),
    choice("Newest events", [20, 50, 100, 200].map((n) => [n, String(n)]), question.events, (value) => { question.events = Number(value); }, "events"),
  ],
  cohort: () => [
    choice("Players with", events(true), question.event ?? "", (name) => setEvent(question, name), "event"),
    times("at least", question, "times"),
  ],
  events: () => [
    choice("Event", events(true), question.event ?? "", (name) => setEvent(question, name), "event"),
    choice("Figure", measured().length ? MEASURES : MEASURES.slice(0, 2), question.measure.of, setMeasure, "measure"),
    ...(question.measure.field ? [choice("Property", measured().map((one) => [one.name, plainName(one.name)]), question.measure.field, (name) => { question.measure.field = name; }, "property")] : []),
    ...(question.measure.percentile ? [choice("Percentile", PERCENTILES, question.measure.percentile, (value) => { question.measure.percentile = Number(value); }, "percentile")] : []),
    grain(), ...grouping(),
  ],
  funnel: () => [
    ...question.steps.map((step, n) => choice(`Step ${n + 1}`, events(true), step.event ?? "", (name) => setEvent(step, name), `step-${n + 1}`)),
    ...(question.steps.length < MOST_STEPS ? [button("Add a step", () => { question.steps.push({ event: "session_end", where: [] }); changed(); })] : []),
    ...(question.steps.length > 2 ? [button("Remove the last step", () => { question.steps.pop(); changed(); })] : []),
    choice("Within", WINDOWS, question.window_minutes, (value) => { question.window_minutes = Number(value); }, "window"),
    ...grouping(),
  ],
  retention: () => [
    choice("Starts with", events(true), question.first.event ?? "", (name) => setEvent(question.first, name), "first"),
    choice("Comes back with", events(true), question.returning.event ?? "", (name) => setEvent(question.returning, name), "returning"),
    choice("Days are", [["day", "UTC days"], ["24h", "24 hours each"]], question.unit, (value) => { question.unit = value; }, "unit"),
    choice("Until day", [1, 3, 7, 14, 30].map((n) => [n, String(n)]), question.days, (value) => { question.days = Number(value); }, "days"),
    grain(), ...grouping(),
  ],
  paths: () => [
    choice("Event", events(false), question.event, (name) => { setEvent(question, name); question.leave_out = question.leave_out.filter((one) => one !== name); }, "event"),
    choice("What", [["after", "follows it"], ["before", "precedes it"]], question.direction, (value) => { question.direction = value; }, "direction"),
    choice("Steps", [1, 2, 3, 4, 5].map((n) => [n, String(n)]), question.depth, (value) => { question.depth = Number(value); }, "depth"),
    choice("Events of a step", [3, 5, 10].map((n) => [n, String(n)]), question.width, (value) => { question.width = Number(value); }, "width"),
    choice("Leave out", [["", "nothing"], ...events(false).filter(([name]) => name !== question.event)], question.leave_out[0] ?? "", (name) => { question.leave_out = name ? [name] : []; }, "leave-out"),
  ],
};

const text = (label, value, set, attributes) => {
  const holder = element("label", `${label} `);
  const input = element("input", null, { autocomplete: "off", ...attributes });
  input.value = value;
  input.addEventListener("change", () => { set(input.value.trim()); changed(); });
  holder.append(input);
  return holder;
};

const typed = (text, kind) => {
  if (kind === "boolean") return text === "true";
  if (NUMBERS.includes(kind)) return Number(text);
  return text;
};

const filter = (part, one, n) => {
  const fields = fieldsOf(part.event);
  const field = fields.find((found) => found.name === one.field) ?? fields[0];
  one.op ??= "is";
  one.values ??= [];
  const holder = element("div", null, { class: "filter" });
  holder.append(
    choice("Only where", fields.map((found) => [found.name, plainName(found.name)]), one.field, (name) => { part.where[n] = { field: name, op: "is", values: [] }; }),
    choice("comparison", OPERATORS.filter(([op]) => NUMBERS.includes(field.kind) || !op.startsWith("at_")), one.op, (op) => { one.op = op; if (NO_VALUES.includes(op)) one.values = []; }),
  );
  if (!NO_VALUES.includes(one.op)) {
    const known = field.kind === "boolean" ? ["true", "false"] : field.values;
    const shown = one.values.length ? one.values.map(String).join(", ") : "";
    if (known.length) {
      holder.append(choice("value", [["", "choose"], ...known.map((value) => [value, value])], shown, (text) => { one.values = text ? [typed(text, field.kind)] : []; }));
    } else {
      const label = element("label", "value ");
      const input = element("input", null, { maxlength: "128", autocomplete: "off", placeholder: "one, or several" });
      input.value = shown;
      input.addEventListener("change", () => {
        one.values = input.value.split(",").map((text) => text.trim()).filter(Boolean).map((text) => typed(text, field.kind));
        changed();
      });
      label.append(input);
      holder.append(label);
    }
  }
  holder.append(button("Remove", () => { part.where.splice(n, 1); changed(); }, { "aria-label": `Remove the filter of ${plainName(one.field)}` }));
  return holder;
};

const fill = () => {
  // Until the page knows what can be asked, there is nothing to choose.
  $("kind").disabled = false;
  $("kind").value = question.kind;
  $("parts").replaceChildren($("parts").querySelector("legend"), ...PARTS[question.kind]());
  $("filters").hidden = question.kind === "player";
  $("asking").hidden = saved.isReader();
  const part = main();
  if (question.kind !== "player") fillFilters(part);
  describe(part);
};

const fillFilters = (part) => {
  part.where ??= [];
  const add = button("Add a filter", () => { part.where.push({ field: "platform", op: "is", values: [] }); changed(); }, { id: "add-filter" });
  $("filters").replaceChildren($("filters").querySelector("legend"), ...part.where.map((one, n) => filter(part, one, n)), ...(part.where.length < MOST_FILTERS ? [add] : []), ...players());
};

const describe = (part) => {
  const described = question.kind === "player" ? "The events of one player. A game with pseudonyms knows its players by these alone." : eventOf(part.event)?.description ?? "Events of all types.";
  const field = question.measure?.field && fieldsOf(question.event).find((one) => one.name === question.measure.field);
  $("about").textContent = field ? `${described} ${plainName(field.name)}: ${field.description}` : described;
  $("title").textContent = saved.isShown() ? saved.title() : saved.isReader() ? "Answer" : view().title();
};

// A filter that is not filled in yet is not asked.
const asked = () => {
  const copy = structuredClone(question);
  for (const part of [copy, copy.cohort, copy.first, copy.returning, ...(copy.steps ?? [])]) {
    if (part?.where) part.where = part.where.filter((one) => one.values?.length || NO_VALUES.includes(one.op));
  }
  return copy;
};

// Return the path and the options of the request. Who reads the game without producing it asks saved questions only.
const request = (format) => {
  const { from, to } = context.range();
  if (saved.isReader()) return [saved.answer({ from, to }, format)];
  const body = JSON.stringify({ ...asked(), from, to, format });
  return [url(), { method: "POST", body, headers: { "content-type": "application/json" } }];
};

const state = (...nodes) => {
  $("state").replaceChildren(...nodes);
  $("explore-chart").hidden = true;
  $("chart-note").textContent = "";
};

const render = (answer) => {
  if (!answer.rows.length) {
    $("rows").hidden = true;
    state(
      element("p", `No such events from ${answer.from} to ${answer.to}.`),
      element("p", "The batch run adds events once a day: choose earlier days, or remove a filter. On your machine, scripts/batch run adds them.", { class: "what" }),
    );
    return;
  }
  state();
  if (view().isDrawn) {
    $("explore-chart").hidden = false;
    $("chart-note").textContent = view().draw(answer, $("explore-chart"));
  }
  if (answer.profile) {
    const { events: count, sessions, first_at: first, last_at: last } = answer.profile;
    $("chart-note").textContent = `Events: ${number.format(count)}. Sessions: ${number.format(sessions)}. From ${utc(first)} to ${utc(last)}.`;
  }
  show("figures", view().figures(answer));
  $("rows").hidden = false;
  $("cost").textContent = costOf(answer);
};

// The API says which field must be one: a button adds it to the question.
const ways = (details) => {
  if (!details.some((detail) => detail.includes("added up over currencies"))) return [];
  return [button("Group by currency", () => { question.by = [CURRENCY, ...question.by].slice(0, 2); changed(); })];
};

const refuse = (problem, again = load) => {
  $("rows").hidden = true;
  const details = (problem.errors ?? []).map((error) => error.detail);
  const words = element("ul");
  for (const detail of details) words.append(element("li", detail));
  const holder = element("p", null, { class: "ways" });
  holder.append(...ways(details), button("Try again", again));
  state(element("p", details.length ? "This question has no answer:" : problem.detail), words, holder);
};

const load = async () => {
  const mine = ++newest;
  if (question.player_id === "") {
    $("rows").hidden = true;
    state(element("p", "Enter the id of a player."));
    return;
  }
  if (saved.isReader() && !saved.isShown()) {
    $("rows").hidden = true;
    state(element("p", "Choose a saved question."));
    return;
  }
  const waiting = element("p", "Reading the events…", { class: "waiting-answer" });
  state(waiting);
  $("answer").setAttribute("aria-busy", "true");
  $("rows").hidden = true;
  const [path, options] = request("json");
  const found = await asking(path, options, () => mine === newest, (cancel) => {
    // Whoever reads the game without producing it stops nothing: others may wait for the same answer.
    if (saved.isReader()) waiting.textContent = RUNS; else runs(waiting, RUNS, cancel);
  });
  if (!found || !$("answer")) return;
  $("answer").removeAttribute("aria-busy");
  if (found.ok) render(found.body); else refuse(found.body);
  if (found.isCancelled) $("state").querySelector("button").focus();
};

const download = async () => {
  const answer = await send(...request("csv")).catch(() => null);
  if (answer?.status !== 200) { $("cost").textContent = "The file cannot be made at the moment; ask the question again."; return; }
  const { from, to } = context.range();
  save(await answer.blob(), `${game()}-${question.kind}-${from}-${to}.csv`);
};

// Show the question that the address says: one in words, or a saved one by its name.
const begin = async () => {
  const mine = ++newest;
  const found = await read();
  if (mine !== newest || !$("answer")) return;
  question = found;
  try { fill(); } catch { question = fresh(kinds[0]); fill(); }
  if (kinds.length > 1 && !saved.isShown()) keep();
  saved.draw();
  await load();
};

const NAMES = {
  events: "Events over time", funnel: "Funnel", retention: "Retention", paths: "Paths", cohort: "Players of a cohort", player: "One player",
};

// The view of some kinds of questions: all of them in the tab Explore, one player in the tab Players.
export const explore = (of) => (holder, shell) => {
  holder.append($("explore-view").content.cloneNode(true));
  context = shell;
  kinds = of;
  catalogue = null;
  $("kind").replaceChildren(...kinds.map((kind) => option(kind, NAMES[kind])));
  $("kind").parentElement.hidden = kinds.length === 1;
  saved = kinds.length > 1 ? savedQuestions(shell, asked, begin) : NONE;
  $("kind").addEventListener("change", () => {
    const { cohort } = question;
    const kind = $("kind").value;
    question = { ...fresh(kind), ...(cohort && kind !== "player" && { cohort }) };
    changed();
  });
  $("csv").addEventListener("click", download);
  $("ask").addEventListener("submit", (event) => event.preventDefault());
  return {
    load: async () => {
      const mine = ++newest;
      if (!catalogue) {
        state(element("p", "Loading…", { class: "waiting-answer" }));
        let found;
        try { [found] = await Promise.all([get(url()), saved.load()]); } catch (error) {
          if (mine === newest && $("answer")) refuse({ detail: error.message }, () => shell.change({}));
          return;
        }
        if (mine !== newest || !$("answer")) return;
        catalogue = found;
        await begin();
      } else await load();
    },
    close: () => { newest += 1; },
  };
};
