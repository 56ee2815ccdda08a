// What an answer about events looks like: the title of its question, its table, and its lines over time.

import { lines } from "./charts.js";
import { bar, element, LINES, money, micros, number, periods, plain, precise, table, utc } from "./dom.js";

export const CURRENCY = "payload.currency";
export const MEASURES = [["count", "Events"], ["players", "Players"], ["sum", "Sum of"], ["mean", "Mean of"], ["percentile", "Percentile of"]];
export const plainName = (name) => name.replace(/^(payload|client)\./, "").replaceAll("_", " ");

// What the API takes where a document leaves a part out.
export const DEFAULTS = {
  cohort: () => ({ at_least: 1, where: [] }),
  player: () => ({ player_id: "", events: 50 }),
  events: () => ({ measure: { of: "count" }, grain: "day", by: [], where: [] }),
  funnel: () => ({ window_minutes: 1440, by: [] }),
  retention: () => ({ first: { where: [] }, returning: { where: [] }, unit: "day", days: 7, grain: "day", by: [] }),
  paths: () => ({ direction: "after", depth: 3, width: 5, leave_out: [], where: [] }),
};

const share = (part) => (part === null ? "–" : precise.format(part));
const days = (row) => (row.from === row.to ? row.from : `${row.from} to ${row.to}`);
const nameOf = (slices) => Object.values(slices).map((one) => one ?? "no value").join(" · ");
const seconds = (value) => {
  if (value === null) return "–";
  if (value < 120) return `${plain.format(value)} s`;
  return value < 7200 ? `${plain.format(value / 60)} min` : `${plain.format(value / 3600)} h`;
};

// What a query read and cost, and how old its data are.
export const costOf = ({ cost: { scanned_bytes: bytes, usd, kept }, updated_at: at }) => {
  const paid = usd === null ? "" : kept ? " Kept answers cost nothing." : ` This scanned ${plain.format(bytes / 1e6)} MB and cost $${usd.toFixed(5)}.`;
  return `${at ? `Silver was written at ${utc(at)}. ` : ""}Days are UTC.${paid}`;
};

// How the answers to a question are shown. The catalogue has the labels of events.
export const answers = (question, catalogue) => {
  const labelOf = (name) => catalogue.events.find((one) => one.name === name)?.label ?? "Any event";
  const columns = () => (question.by ?? []).map((name) => [plainName(name), (row) => String(row.slices[name] ?? "no value")]);

  const title = () => ({
    events: () => {
      const { of, field, percentile } = question.measure;
      const name = MEASURES.find(([one]) => one === of)[1];
      if (!field) return of === "count" ? labelOf(question.event) : `${name}: ${labelOf(question.event)}`;
      return `${percentile ? `Percentile ${percentile} of` : name} ${plainName(field)}: ${labelOf(question.event)}`;
    },
    funnel: () => question.steps.map((step) => labelOf(step.event)).join(" → "),
    retention: () => `${labelOf(question.first.event)}, then ${labelOf(question.returning.event)}`,
    player: () => (question.player_id ? `Events of ${question.player_id}` : "Events of one player"),
    cohort: () => `Players with ${labelOf(question.event)}${question.at_least > 1 ? `, at least ${question.at_least} times` : ""}`,
    paths: () => `What ${question.direction === "after" ? "follows" : "precedes"} ${labelOf(question.event)}`,
  })[question.kind]();

  const currencyOf = (slices) => {
    const chosen = question.where?.find((one) => one.field === CURRENCY && one.op === "is")?.values[0];
    const code = slices[CURRENCY] ?? chosen;
    return /^[A-Z]{3}$/.test(code ?? "") ? code : "";
  };

  const isMoney = () => [...catalogue.fields, ...(catalogue.events.find((one) => one.name === question.event)?.fields ?? [])]
    .some((one) => one.name === question.measure.field && one.is_money);

  const figure = (slices) => (value) => {
    if (value === null || value === undefined) return "–";
    const currency = currencyOf(slices);
    if (question.measure.field?.endsWith("_minor") && currency) return money(value, currency);
    if (question.measure.field?.endsWith("_micros") && currency) return micros(value, currency);
    return plain.format(value);
  };

  const figures = (answer) => ({
    player: () => table("Events", [
      ["Time (UTC)", (row) => row.at.slice(0, 19).replace("T", " ")], ["Event", (row) => labelOf(row.event_type)],
      ["Session", (row) => row.session_id.slice(0, 8)], ["Platform", (row) => row.platform ?? "–"], ["Version", (row) => row.app_version ?? "–"],
      ["Properties", (row) => Object.entries(row.payload).map(([name, value]) => `${plainName(name)}: ${value}`).join(", ") || "–"],
    ], answer.rows),
    cohort: () => table("Players", [
      ["Days (UTC)", () => days(answer)], ["Players", (row) => number.format(row.players), true],
      ["Their events", (row) => number.format(row.events), true],
      ["Events of a player", (row) => (row.players ? plain.format(row.events / row.players) : "–"), true],
    ], answer.rows),
    events: () => {
      // A bar is as long as its part of the largest figure, of the same currency where it is an amount.
      const most = new Map();
      const code = (row) => (isMoney() ? row.slices[CURRENCY] : null);
      for (const row of answer.rows) most.set(code(row), Math.max(most.get(code(row)) ?? 0, Math.abs(row.figure)));
      return table("Figures", [
        ["Days (UTC)", days], ...columns(),
        [MEASURES.find(([one]) => one === question.measure.of)[1].replace(" of", ""), (row) => figure(row.slices)(row.figure), true],
        ...(question.grain === "range" ? [["", (row) => bar(most.get(code(row)) ? Math.abs(row.figure) / most.get(code(row)) : 0)]] : []),
        ...(question.measure.of === "count" ? [] : [["Events", (row) => number.format(row.events), true]]),
      ], answer.rows);
    },
    funnel: () => table("Steps", [
      ...columns(), ["Step", (row) => `${row.step}. ${labelOf(row.event)}`], ["Players", (row) => number.format(row.players), true],
      ["", (row) => bar(row.of_first)], ["Of the first", (row) => share(row.of_first), true],
      ["Of the step before", (row) => share(row.of_previous), true], ["Median time", (row) => seconds(row.median_seconds), true],
    ], answer.rows),
    retention: () => table("Cohorts", [
      ["Start (UTC)", days], ...columns(), ["Players", (row) => number.format(row.players), true],
      ...answer.rows[0].days.map(({ day }) => [`Day ${day}`, (row) => {
        const one = row.days[day];
        const cell = element("td", share(one.share), { class: one.share === null ? "" : "cell", title: `${one.returned} of ${one.players} players` });
        cell.style.setProperty("--share", one.share ?? 0);
        return cell;
      }, true]),
    ], answer.rows, "heat"),
    paths: () => {
      const starts = answer.rows.filter((row) => row.level === 1).reduce((sum, row) => sum + row.sessions, 0);
      const name = (one) => (one === null ? "no more events" : one === "other" ? "other" : labelOf(one));
      return table("Links", [
        ["Step", (row) => String(row.level)], ["From", (row) => name(row.source)], [question.direction === "after" ? "To" : "Before it", (row) => name(row.target)],
        ["Sessions", (row) => number.format(row.sessions), true], ["", (row) => bar(row.sessions / starts)], ["Of all", (row) => share(row.sessions / starts), true],
      ], answer.rows);
    },
  })[question.kind]();

  // Draw the figures over time, and return what the drawing leaves out.
  const draw = (answer, holder) => {
    const places = periods(answer.from, answer.to, question.grain);
    const found = new Map();
    for (const row of answer.rows) {
      const name = nameOf(row.slices);
      if (!found.has(name)) found.set(name, { slices: row.slices, values: places.map(() => null) });
      found.get(name).values[places.indexOf(row.from)] = row.figure;
    }
    const size = ({ values }) => Math.max(...values.map((value) => Math.abs(value ?? 0)));
    // Amounts of two currencies have no common axis.
    const codes = isMoney() ? [...new Set([...found.values()].map(({ slices }) => slices[CURRENCY] ?? null))].sort() : [null];
    const drawn = [...found].filter(([, { slices }]) => codes.length < 2 || (slices[CURRENCY] ?? null) === codes[0]);
    const shown = drawn.sort((a, b) => size(b[1]) - size(a[1])).slice(0, LINES.length);
    lines(holder, places.map((one) => Date.parse(one) / 1000), shown.map(([name, line]) => ({
      label: name || title(), values: line.values, format: figure(line.slices), fill: shown.length === 1,
    })), {
      format: figure(shown[0][1].slices), label: `${title()} from ${answer.from} to ${answer.to} (UTC); the table has every figure`,
    });
    return [
      drawn.length > shown.length ? `The largest ${shown.length} of ${drawn.length} are drawn; the table has all.` : "",
      codes.length > 1 ? `${codes[0] ?? "No currency"} is drawn; the table has all.` : "",
    ].filter(Boolean).join(" ");
  };

  return { title, figures, draw, isDrawn: question.kind === "events" && question.grain !== "range" };
};
