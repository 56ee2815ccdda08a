// Panels of the history: a declaration of a table, its metrics and a kind of chart becomes tiles, lines, bars, a curve
// or cohorts; another kind of panel names what draws it. What can be asked comes from the API's catalogue, and so do
// labels, units, filters and groups.

import { asking, RUNS, send } from "./asking.js";
import { lines } from "./charts.js";
import { DAY, bar, button, element, LINES, option, periods, points, precise, save, scrolled, signed, table, unit, utc } from "./dom.js";

const COHORT_DAYS = [0, 1, 2, 3, 4, 5, 6, 7, 10, 14, 21, 28, 30, 45, 60, 75, 90];
const CURVE_DAYS = 30;
const MOST_BARS = 10;
const MOST_ROWS = 1900;
// Units of amounts in a currency, real or virtual.
const AMOUNTS = ["minor", "micros", "units"];

const titled = (name) => `${name[0].toUpperCase()}${name.slice(1).replaceAll("_", " ")}`;
const nameOf = (slices) => Object.values(slices).map((one) => (one === null ? "other" : String(one) || "none")).join(" · ");
const length = ({ from, to }) => (Date.parse(to) - Date.parse(from)) / DAY + 1;

// Cohorts have a row for each day number: longer ranges are asked for by week or month.
const cohortGrain = (range) => ["day", "week", "month"].find((grain) => periods(range.from, range.to, grain).length
  * Math.min(91, length(range)) < MOST_ROWS) ?? "month";

const grainOf = (spec, range) => {
  if (spec.chart === "heat") return cohortGrain(range);
  return ["tiles", "bars", "curve"].includes(spec.chart) ? "range" : range.grain;
};

// Gold tells a custom dimension apart by reason, and by no other column that has totals.
const hasTotals = (known, name) => known.dimensions.some((one) => one.name === name && one.has_totals && name !== "reason");
const isCustom = (name) => /^custom_\d$/.test(name ?? "");
const crosses = (known, one, other) => one !== other && (isCustom(one) || isCustom(other)) && hasTotals(known, one) && hasTotals(known, other);

// The columns of a panel's rows: its own, and the one that the reader groups by if there is room for it.
const columnsOf = (spec, known, group) => {
  const own = spec.by ?? [];
  const free = ["lines", "curve"].includes(spec.chart) && own.length < 2 && !own.includes(group)
    && !own.some((column) => crosses(known, column, group));
  return free && group && known.dimensions.some((one) => one.name === group) ? [...own, group] : own;
};

// The parameters of a panel's question, and which filters it cannot have.
const questionOf = (spec, context, more = {}) => {
  const known = context.table(spec.table);
  const range = context.range();
  const at = context.params();
  const asked = new URLSearchParams({ from: range.from, to: range.to, grain: grainOf(spec, range), ...more });
  const by = columnsOf(spec, known, range.group);
  if (by.length) asked.set("by", by.join(","));
  if (range.compare && spec.chart !== "heat") asked.set("compare", "previous");
  const chosen = context.shared().filter(({ parameter }) => at.get(parameter));
  const isKnown = ({ name }) => known.dimensions.some((one) => one.name === name);
  // The columns come first, then a custom dimension: whatever crosses one before it is left out.
  const filters = chosen.filter(isKnown).sort((one, other) => isCustom(other.name) - isCustom(one.name));
  const lacks = chosen.filter((one) => !isKnown(one)).map(({ label }) => label);
  const crossed = [];
  const apart = [...by];
  for (const { name, parameter, label } of filters) {
    if (apart.some((column) => crosses(known, column, name))) crossed.push(label);
    else { asked.set(parameter, at.get(parameter)); apart.push(name); }
  }
  const unfiltered = [
    lacks.length ? `Not filtered by ${lacks.join(", ")}: the table has no such column.` : "",
    crossed.length ? `Not filtered by ${crossed.join(", ")}: gold tells a custom dimension apart for all platforms, countries and versions together.` : "",
  ].filter(Boolean).join(" ");
  for (const column of spec.choose ?? []) if (context.choice(column)) asked.set(column, context.choice(column));
  for (const [name, value] of Object.entries(spec.fixed ?? {})) asked.set(name, value);
  return { path: `/v1/games/${encodeURIComponent(context.game)}/history/${spec.table}?${asked}`, unfiltered };
};

// The currency of a row, for money: it is one of its columns, or the one that was chosen.
const coin = (context, spec, slices) => slices.currency ?? context.choice("currency") ?? "";

const titleOf = (metric) => (metric.unit === "seconds" ? `${metric.label} (seconds)` : metric.label);

// Buttons for what the API says to ask instead.
const ways = (context, reason) => {
  const holder = element("p", null, { class: "ways" });
  if (reason.includes("grain=day")) holder.append(button("Show a row for each day", () => context.change({ grain: "day" })));
  if (reason.includes("more than")) holder.append(button("Do not group", () => context.change({ group: null, grain: null })));
  return holder;
};

const unadded = (context, spec, metric, reason) => {
  const known = context.table(spec.table);
  const columns = reason.slice(reason.indexOf("over ") + 5, reason.indexOf(":")).split(", ");
  const over = columns.map((name) => (name === known.day_column ? "days" : name.replaceAll("_", " "))).join(", ");
  return [element("p", `${metric?.label ?? "This figure"} must not be added up over: ${over}.`), ways(context, reason)];
};

// As in the mail: a share changes by points, all else by a part of what it was. Nothing is a part of less than nothing.
const change = (metric, now, then) => {
  if (now === null || now === undefined || then === null || then === undefined) return null;
  if (metric.unit === "share") return `${points.format(100 * (now - then))} pts`;
  return then > 0 ? signed.format(now / then - 1) : null;
};

// Rows of the range before by the place of their period and their slices.
const before = (answer) => {
  const found = new Map();
  if (!answer.previous) return () => null;
  const places = periods(answer.previous.from, answer.previous.to, answer.grain);
  for (const row of answer.previous.rows) found.set(`${places.indexOf(row.from)} ${nameOf(row.slices)}`, row.figures);
  const days = periods(answer.from, answer.to, answer.grain);
  return (row) => found.get(`${days.indexOf(row.from)} ${nameOf(row.slices)}`) ?? null;
};

const metricsOf = (spec, answer) => {
  const named = (spec.metrics ?? []).map((name) => answer.metrics.find((one) => one.name === name)).filter(Boolean);
  return spec.whole ? [...named, ...answer.metrics.filter((one) => !named.includes(one))] : named;
};

// Every figure of an answer as a table.
const figures = (context, spec, answer) => {
  const known = context.table(spec.table);
  const earlier = before(answer);
  const shown = metricsOf(spec, answer);
  return table(`Figures of ${spec.title}`, [
    [answer.grain === "day" ? "Day (UTC)" : "Days (UTC)", (row) => (row.from === row.to ? row.from : `${row.from} to ${row.to}`)],
    ...answer.by.map((name) => [known.dimensions.find((one) => one.name === name).label, (row) => row.slices[name] ?? "other"]),
    ...shown.flatMap((metric, n) => {
      const format = (row, figure) => unit(metric.unit, coin(context, spec, row.slices))(figure);
      const columns = [[titleOf(metric), (row) => element("td", format(row, row.figures[metric.name]), { class: n || !spec.whole ? "n" : "n chosen" }), true]];
      if (!answer.previous || (spec.whole && n)) return columns;
      return [...columns,
        ["Range before", (row) => format(row, earlier(row)?.[metric.name] ?? null), true],
        ["Change", (row) => change(metric, row.figures[metric.name], earlier(row)?.[metric.name]) ?? "–", true]];
    }),
  ], answer.rows);
};

const drawLines = (context, spec, answer, holder, marks) => {
  const days = periods(answer.from, answer.to, answer.grain);
  const shown = metricsOf(spec, answer).slice(0, spec.whole ? 1 : undefined);
  const first = shown[0];
  // Several metrics are drawn together where rows are not told apart.
  const metrics = answer.by.length ? [first] : shown;
  const found = new Map();
  for (const row of answer.rows) {
    if (spec.only && !spec.only.includes(row.slices[answer.by[0]])) continue;
    for (const metric of metrics) {
      const name = answer.by.length ? nameOf(row.slices) : metric.label;
      if (!found.has(name)) found.set(name, { code: coin(context, spec, row.slices), values: days.map(() => null) });
      found.get(name).values[days.indexOf(row.from)] = row.figures[metric.name];
    }
  }
  const size = ({ values }) => Math.max(...values.map((value) => Math.abs(value ?? 0)));
  const codes = AMOUNTS.includes(first.unit) ? [...new Set([...found.values()].map((one) => one.code))].sort() : [];
  // Amounts of two currencies have no common axis.
  const code = codes.includes(context.choice("currency")) ? context.choice("currency") : codes[0];
  const drawn = [...found].filter(([, one]) => codes.length < 2 || one.code === code);
  const largest = (spec.only || !answer.by.length ? drawn : drawn.sort((a, b) => size(b[1]) - size(a[1]))).slice(0, LINES.length);
  const label = spec.label ?? ((name) => name);
  const series = largest.map(([name, one]) => ({
    label: label(name), values: one.values, format: unit(first.unit, one.code), fill: largest.length === 1,
  }));
  if (answer.previous && !answer.by.length) {
    const places = periods(answer.previous.from, answer.previous.to, answer.grain);
    const values = days.map(() => null);
    for (const row of answer.previous.rows) {
      const place = places.indexOf(row.from);
      if (place < values.length) values[place] = row.figures[first.name];
    }
    if (values.some((value) => value !== null)) series.push({ label: metrics.length > 1 ? `${first.label}, range before` : "Range before", values, dash: true });
  }
  const notes = [];
  if (drawn.length > largest.length) notes.push(`The largest ${largest.length} of ${drawn.length} are drawn; the table has all.`);
  if (answer.previous && answer.by.length) notes.push("The range before is in the table.");
  const ends = [answer.rows[0], answer.rows.at(-1)];
  const full = answer.grain === "week" ? 7 : 28;
  if (["week", "month"].includes(answer.grain) && ends.some((row) => length(row) < full)) notes.push(`The first or the last ${answer.grain} is not whole.`);
  if (codes.length > 1) notes.push(`${code || "No currency"} is drawn; the table has all.`);
  lines(holder, days.map((one) => Date.parse(one) / 1000), series, {
    format: unit(first.unit, code), most: first.unit === "share" ? 0.01 : 1, marks,
    label: `${spec.title}, ${answer.from} to ${answer.to} (UTC); the table has every figure`,
  });
  return notes.join(" ");
};

// A figure by the days after an install: a line for each slice.
const drawCurve = (context, spec, answer, holder) => {
  const [metric] = metricsOf(spec, answer);
  const numbers = [...new Set(answer.rows.map((row) => row.slices.day_number))].filter((n) => n <= CURVE_DAYS && (n > 0 || !spec.fromOne)).sort((a, b) => a - b);
  const collect = (rows) => {
    const found = new Map();
    for (const row of rows) {
      const { day_number: n, ...others } = row.slices;
      if (!numbers.includes(n)) continue;
      if (!found.has(nameOf(others))) found.set(nameOf(others), numbers.map(() => null));
      found.get(nameOf(others))[numbers.indexOf(n)] = row.figures[metric.name];
    }
    return [...found];
  };
  const found = collect(answer.rows);
  const shown = found.slice(0, LINES.length);
  const series = shown.map(([name, values]) => ({ label: name || metric.label, values, fill: shown.length === 1 }));
  if (answer.previous && found.length === 1) {
    for (const [, values] of collect(answer.previous.rows)) series.push({ label: "Range before", values, dash: true });
  }
  lines(holder, numbers, series, {
    format: unit(metric.unit, coin(context, spec, {})), most: metric.unit === "share" ? 0.01 : 1, count: "Day after",
    label: `${spec.title} by day after the first, ${answer.from} to ${answer.to} (UTC); the table has every figure`,
  });
  return found.length > shown.length ? `The first ${shown.length} of ${found.length} are drawn; the table has all.` : "";
};

const natural = new Intl.Collator(undefined, { numeric: true });

const drawBars = (context, spec, answer) => {
  const [metric, ...others] = metricsOf(spec, answer);
  const earlier = before(answer);
  const rows = answer.rows.filter((row) => row.figures[metric.name] !== null);
  rows.sort(spec.sort === "name" ? (a, b) => natural.compare(nameOf(a.slices), nameOf(b.slices)) : (a, b) => b.figures[metric.name] - a.figures[metric.name]);
  const most = metric.unit === "share" && !spec.relative ? 1 : Math.max(...rows.map((row) => Math.abs(row.figures[metric.name])), 0);
  const known = context.table(spec.table);
  const head = spec.by.map((name) => known.dimensions.find((one) => one.name === name).label).join(" · ");
  const text = (one) => (row) => unit(one.unit, coin(context, spec, row.slices))(row.figures[one.name]);
  return [table(spec.title, [
    [head, (row) => nameOf(row.slices)],
    ["", (row) => bar(most ? Math.abs(row.figures[metric.name]) / most : 0)],
    [titleOf(metric), text(metric), true],
    ...(answer.previous ? [["Change", (row) => change(metric, row.figures[metric.name], earlier(row)?.[metric.name]) ?? "–", true]] : []),
    ...others.map((one) => [titleOf(one), text(one), true]),
  ], rows.slice(0, MOST_BARS), "bars"), rows.length > MOST_BARS ? `${MOST_BARS} of ${rows.length} are shown; the table has all.` : ""];
};

const drawHeat = (context, spec, answer) => {
  const [metric] = metricsOf(spec, answer);
  const cohorts = new Map();
  for (const row of answer.rows) {
    if (!cohorts.has(row.from)) cohorts.set(row.from, { from: row.from, to: row.to, days: new Map() });
    cohorts.get(row.from).days.set(row.slices.day_number, row.figures);
  }
  const reached = Math.max(...answer.rows.map((row) => row.slices.day_number));
  const days = COHORT_DAYS.filter((n) => n <= reached && n > 0);
  const least = Math.max(...[...cohorts.values()].flatMap(({ days: found }) => days.map((n) => found.get(n)?.[metric.name] ?? 0)), 0.01);
  return [table(spec.title, [
    ["Installed (UTC)", (one) => (one.from === one.to ? one.from : `${one.from} to ${one.to.slice(5)}`)],
    ["Players", (one) => unit("players")(one.days.get(0)?.cohort_players), true],
    ...days.map((n) => [`Day ${n}`, (one) => {
      const found = one.days.get(n)?.[metric.name];
      if (found === undefined || found === null) return element("td", "–", { class: "open" });
      const td = element("td", precise.format(found), { class: "cell" });
      td.style.setProperty("--share", found / least);
      return td;
    }, true]),
  ], [...cohorts.values()].reverse(), "heat"), ""];
};

const download = async (context, spec, say) => {
  const named = spec.whole ? {} : { metrics: spec.metrics.join(",") };
  const answer = await send(questionOf(spec, context, { ...named, format: "csv" }).path).catch(() => null);
  if (answer?.status !== 200) { say("The file cannot be made at the moment; try again."); return; }
  const range = context.range();
  save(await answer.blob(), `${context.game}-${spec.table}-${range.from}-${range.to}.csv`);
};

const filledBy = (spec) => (spec.filled ? [element("p", `Filled by ${spec.filled} events.`, { class: "note" })] : []);

// A column of which one value must be chosen, and that has none in these days.
const unchosen = (spec, context) => spec.choose?.find((column) => !context.choice(column))?.replaceAll("_", " ");

// One panel. Its state says what to do where there is no answer.
const panel = (spec, context) => {
  const section = element("section", null, { class: `panel ${spec.width ?? ""}`, "aria-busy": "true" });
  const title = element("h2", spec.title);
  const head = element("div", null, { class: "head" });
  const note = element("p", null, { class: "note" });
  const csv = button("CSV", () => download(context, spec, (text) => { note.textContent = text; }), { class: "action csv", "aria-label": `Download CSV: ${spec.title}` });
  const state = element("div", null, { class: "state", "aria-live": "polite" });
  const chart = element("div", null, { class: "chart" });
  const more = element("details", null, { class: "figures" });
  const summary = element("summary", "Table");
  csv.hidden = true;
  more.hidden = true;
  head.append(title, csv);
  section.append(head, state, chart, note, more);
  const say = (...nodes) => {
    state.replaceChildren(...nodes);
    chart.replaceChildren();
    chart.hidden = true;
    more.hidden = true;
    csv.hidden = true;
    note.textContent = "";
  };
  const settle = (outcome) => { section.removeAttribute("aria-busy"); section.dataset.state = outcome; return outcome; };

  const render = (answer, unfiltered) => {
    const named = answer.metrics.filter((one) => spec.metrics.includes(one.name));
    if (!answer.rows.length || (spec.only && !answer.rows.some((row) => spec.only.includes(row.slices[answer.by[0]])))) {
      say(element("p", `No figures from ${answer.from} to ${answer.to}.`, { class: "empty" }), ...filledBy(spec));
      return settle("empty");
    }
    const refused = answer.not_answered.find((one) => one.name === spec.metrics[0]);
    say();
    csv.hidden = false;
    let told = "";
    if (!named.length || (spec.whole && refused)) {
      const metric = context.table(spec.table).metrics.find((one) => one.name === spec.metrics[0]);
      say(...unadded(context, spec, metric, refused?.reason ?? ""), ...(spec.whole ? [element("p", "The table below has the figures that do add up.", { class: "note" })] : []));
    } else {
      chart.hidden = false;
      if (spec.chart === "lines") told = drawLines(context, spec, answer, chart, context.marks);
      else if (spec.chart === "curve") told = drawCurve(context, spec, answer, chart);
      else {
        const [node, text] = (spec.chart === "bars" ? drawBars : drawHeat)(context, spec, answer);
        chart.replaceChildren(scrolled(node, spec.title));
        told = text;
      }
    }
    note.textContent = [told, unfiltered, spec.note].filter(Boolean).join(" ");
    if (named.length || spec.whole) {
      csv.hidden = false;
      more.hidden = false;
      more.replaceChildren(summary);
      const fill = () => { if (more.open && more.childElementCount === 1) more.append(scrolled(figures(context, spec, answer), `Figures of ${spec.title}`)); };
      more.ontoggle = fill;
      fill();
    }
    return settle("full");
  };

  const refuse = (problem) => {
    const errors = (problem.errors ?? []).map((error) => error.detail);
    const added = errors.find((detail) => detail.includes("must not be added up over"));
    const name = added?.split(" ")[0];
    if (added) say(...unadded(context, spec, context.table(spec.table).metrics.find((one) => one.name === name), added));
    else {
      const words = element("ul");
      for (const detail of errors) words.append(element("li", detail));
      const tries = ways(context, errors.join(" "));
      tries.append(button("Try again", load));
      say(element("p", problem.detail), ...(errors.length ? [words] : []), tries);
    }
    return settle("failed");
  };

  let newest = 0;
  let waiting = null;
  const wait = (text = "Reading the history…") => {
    if (!waiting?.isConnected) { waiting = element("p", text, { class: "waiting" }); say(waiting); }
    waiting.textContent = text;
    section.setAttribute("aria-busy", "true");
  };
  const load = async () => {
    const mine = ++newest;
    const lacking = unchosen(spec, context);
    if (lacking) {
      const { from, to } = context.range();
      say(element("p", `No ${lacking} from ${from} to ${to}.`, { class: "empty" }), ...filledBy(spec));
      return settle("empty");
    }
    title.textContent = spec.whole ? `Any figure: ${spec.title}` : spec.title;
    wait();
    const { path, unfiltered } = questionOf(spec, context);
    const found = await context.ask(path, () => { if (mine === newest) wait(RUNS); });
    if (mine !== newest || !found) return null;
    return found.ok ? render(found.body, unfiltered) : refuse(found.body);
  };
  return { section, load, more, wait };
};

// Large figures with their change. A count of unique players is that of the last day: days of players do not add up.
const tiles = (specs, context) => {
  const section = element("section", null, { class: "tiles", "aria-label": "Summary" });
  const cards = specs.map((spec) => {
    const card = element("article");
    const title = element("h2", "…");
    const figure = element("p", "–", { class: "figure" });
    const note = element("p", "", { class: "note" });
    card.append(title, figure, note);
    section.append(card);
    return { spec, title, figure, note };
  });
  const fill = async ({ spec, title, figure, note }) => {
    const asked = { ...spec, metrics: [spec.metric], chart: spec.last ? "lines" : "tiles" };
    const metric = context.table(spec.table).metrics.find((one) => one.name === spec.metric);
    title.textContent = spec.title ?? metric.label;
    figure.textContent = "…";
    note.textContent = "";
    if (unchosen(spec, context)) { figure.textContent = "–"; note.textContent = "no figures"; return "empty"; }
    const { path } = questionOf(asked, { ...context, range: () => ({ ...context.range(), group: "", ...(spec.last && { grain: "day" }) }) });
    const found = await context.ask(path, () => {});
    if (!found) return null;
    if (!found.ok) { figure.textContent = "–"; note.textContent = "Not answered"; card(note, found.body); return "failed"; }
    const row = found.body.rows.at(-1);
    const now = row?.figures[spec.metric] ?? null;
    figure.textContent = unit(metric.unit, coin(context, spec, row?.slices ?? {}))(now);
    figure.classList.toggle("long", figure.textContent.length > 8);
    if (!row) { note.textContent = "no figures"; return "empty"; }
    const earlier = before(found.body)(row)?.[spec.metric];
    const changed = change(metric, now, earlier);
    note.textContent = [spec.last ? `on ${row.from}` : "", changed ? `${changed} against the range before` : found.body.previous ? "no figure before" : ""].filter(Boolean).join(", ");
    return "full";
  };
  const card = (note, problem) => { note.title = problem.detail; };
  return { section, load: async () => { const all = await Promise.all(cards.map(fill)); return all.includes("full") ? "full" : all[0]; } };
};

// What a table shows at first in the panel of any figure.
const FIRST = {
  acquisition: { metric: "retention", by: "install_source", day_number: "1" },
  acquisition_value: { metric: "ltv_minor", by: "install_source,currency", day_number: "7" },
  ads: { by: "network" },
  design: { by: "name", depth: "1" },
  economy: { metric: "amount", by: "currency,flow" },
  experiments: { metric: "exposed_retention", by: "experiment,variant", day_number: "1" },
  experiment_revenue: { metric: "exposed_net_mean_minor", by: "experiment,variant", day_number: "7" },
  lifetime_value: { metric: "ltv_minor", by: "currency", day_number: "7" },
  matches: { metric: "match_ends", by: "mode" },
  performance: { metric: "p50", by: "measure" },
  performance_bins: { by: "bin", measure: "fps" },
  progression: { metric: "completion", by: "level_1" },
  retention: { metric: "retention", day_number: "1" },
  revenue: { metric: "gross_minor", by: "currency" },
  stability: { metric: "crash_free_sessions" },
  total_revenue: { metric: "total_micros", by: "currency" },
  tutorial: { by: "step" },
};

// Any figure of the tables of a tab, grouped and filtered by any column of its table. All of it is in the address.
const anyFigure = (names, context) => {
  const spec = { title: "Any figure", chart: "lines", whole: true, width: "full", metrics: [], by: [], fixed: {} };
  const own = panel(spec, context);
  const form = element("form", null, { class: "any", "aria-label": "Any figure" });
  form.addEventListener("submit", (event) => event.preventDefault());
  own.section.querySelector(".head").after(form);
  own.section.id = "any";
  own.more.open = true;
  const choose = (id, label, options, value, changes) => {
    const holder = element("label", `${label} `);
    const select = element("select", null, { id });
    select.replaceChildren(...options.map(([name, text]) => option(name, text)));
    select.value = value;
    select.addEventListener("change", () => context.change(changes(select.value), own.load));
    holder.append(select);
    return holder;
  };
  const read = () => {
    const at = context.params();
    const known = context.table(names.includes(at.get("table")) ? at.get("table") : names[0]);
    const first = FIRST[known.name] ?? {};
    const chosen = at.get("table") === known.name;
    const metric = known.metrics.find((one) => one.name === (at.get("metric") ?? first.metric)) ?? known.metrics[0];
    spec.table = known.name;
    spec.metrics = [metric.name];
    spec.title = metric.label;
    const by = chosen && at.has("by") ? at.get("by") : first.by ?? "";
    spec.by = by.split(",").filter((name) => known.dimensions.some((one) => one.name === name));
    const shared = context.shared().map((one) => one.name);
    const columns = known.dimensions.filter((one) => !shared.includes(one.name));
    spec.fixed = {};
    for (const { parameter } of columns) {
      const value = chosen && at.has(parameter) ? at.get(parameter) : first[parameter] ?? "";
      if (value) spec.fixed[parameter] = value;
    }
    const groups = [["", "nothing"], ...known.dimensions.map((one) => [one.name, one.label])];
    if (spec.by.length > 1) groups.push([spec.by.join(","), spec.by.map((name) => known.dimensions.find((one) => one.name === name).label).join(" and ")]);
    const fresh = (name) => ({ table: name, metric: null, by: null, ...Object.fromEntries(known.dimensions.filter((one) => !shared.includes(one.name)).map((one) => [one.parameter, null])) });
    const keep = (changes) => ({ table: known.name, ...changes });
    form.replaceChildren(
      choose("table", "Table", names.map((name) => [name, titled(name)]), known.name, fresh),
      choose("metric", "Figure", known.metrics.map((one) => [one.name, one.label]), metric.name, (name) => keep({ metric: name })),
      choose("by", "Group by", groups, spec.by.join(","), (name) => keep({ by: name })),
      ...columns.map(({ parameter, label }) => {
        const holder = element("label", `${label} `);
        const input = element("input", null, { name: parameter, placeholder: "all", maxlength: "128", autocomplete: "off" });
        input.value = spec.fixed[parameter] ?? "";
        input.addEventListener("change", () => context.change(keep({ [parameter]: input.value.trim() }), own.load));
        holder.append(input);
        return holder;
      }),
    );
    spec.note = `${known.description} ${metric.label}: ${metric.description}`;
  };
  const load = own.load;
  own.load = () => { read(); return load(); };
  return own;
};

// All panels of a tab. One question that several panels have is asked once.
export const panels = (tab) => (holder, context) => {
  let answers = new Map();
  // A browser has few connections to a host: questions that nobody waits for any more give theirs back.
  let asked = new AbortController();
  let read = { bytes: 0, usd: 0, kept: true, written: "" };
  const cost = element("p", null, { class: "note cost", id: "gold-cost" });
  const hint = element("section", null, { class: "hint", hidden: "", role: "status" });
  const tell = ({ scanned_bytes: bytes, usd, kept }, updated) => {
    read = { bytes: read.bytes + (bytes ?? 0), usd: read.usd + (usd ?? 0), kept: read.kept && kept, written: updated > read.written ? updated : read.written };
    const paid = !read.usd ? (read.kept ? " The answers were kept, and cost nothing." : "") : ` This view scanned ${unit("")(read.bytes * 1e-6)} MB and cost $${read.usd.toFixed(5)}.`;
    const written = read.written ? `Gold was written at ${utc(read.written)}. ` : "";
    cost.textContent = `${written}Days are UTC.${paid}`;
  };
  let closed = false;
  const local = {
    ...context,
    ask: (path, waits) => {
      const known = answers;
      if (!known.has(path)) {
        const waiting = new Set();
        const found = asking(path, { signal: asked.signal }, () => !closed && known === answers, () => waiting.forEach((one) => one()));
        known.set(path, { found, waiting });
        found.then((one) => {
          if (!one?.ok) known.delete(path);
          // An answer without a query has no cost.
          else if (one.body.cost) tell(one.body.cost, one.body.updated_at ?? "");
        });
      }
      const { found, waiting } = known.get(path);
      waiting.add(waits);
      return found;
    },
  };
  const names = tab.tables.filter((name) => context.has(name));
  const specs = tab.panels.filter((spec) => context.has(spec.table));
  const shown = [
    ...(tab.tiles ? [tiles(tab.tiles.filter((spec) => context.has(spec.table)), local)] : []),
    ...specs.map((spec) => (spec.draw ?? panel)(spec, local)),
    ...(names.length ? [anyFigure(names, local)] : []),
  ];
  holder.append(hint, ...shown.map((one) => one.section), cost);
  const help = () => {
    const range = context.range();
    const filters = context.shared().filter(({ parameter }) => context.params().get(parameter));
    hint.replaceChildren(
      element("p", `Gold has no figures of this view from ${range.from} to ${range.to} (UTC).`),
      element("p", "The batch run writes gold once a day, yesterday's figures included. On your machine, scripts/batch run writes it.", { class: "note" }),
      button("Show the last 90 days", () => context.last(90)),
      ...(filters.length ? [button("Remove the filters", () => context.change(Object.fromEntries(filters.map(({ parameter }) => [parameter, null]))))] : []),
    );
  };
  return {
    load: async () => {
      asked.abort();
      asked = new AbortController();
      answers = new Map();
      read = { bytes: 0, usd: 0, kept: true, written: "" };
      cost.textContent = "Days are UTC.";
      hint.hidden = true;
      const mine = answers;
      for (const one of shown) one.wait?.();
      await context.choices(tab, (path) => local.ask(path, () => { for (const one of shown) one.wait?.(RUNS); }));
      if (mine !== answers || closed) return;
      const outcomes = await Promise.all(shown.map((one) => one.load()));
      if (mine !== answers || closed) return;
      if (outcomes.every((one) => one === "empty")) { help(); hint.hidden = false; }
    },
    close: () => { closed = true; asked.abort(); },
  };
};
