// What advertising for players cost, and its return: the API joins uploaded costs with gold. Nothing is computed here.

import { RUNS, send } from "./asking.js";
import { button, element, option, save, scrolled, table, unit } from "./dom.js";

const WAYS = [["source", "install source"], ["campaign", "campaign"]];

const figures = (spec, { by, metrics, rows }) => {
  const named = Object.fromEntries(metrics.map((one) => [one.name, one]));
  const figure = (name) => [named[name].label, (row) => unit(named[name].unit, row.currency)(row[name]), true];
  const share = unit(named.return_on_ad_spend.unit);
  return table(spec.title, [
    ["Install source", (row) => row.install_source],
    ...(by === "campaign" ? [["Campaign", (row) => row.campaign ?? "all"]] : []),
    figure("spend_micros"),
    ...Object.keys(rows[0].returns).map((day) => [`Return by ${day}`, (row) => share(row.returns[day]), true]),
    ...["cohort_players", "cost_per_player_micros"].map(figure),
  ], rows);
};

// A panel of the history, whose rows are sources or campaigns.
export const adSpend = (spec, context) => {
  const section = element("section", null, { class: `panel ${spec.width ?? ""}`, id: "ad-spend", "aria-busy": "true" });
  const head = element("div", null, { class: "head" });
  const state = element("div", null, { class: "state", "aria-live": "polite" });
  const note = element("p", null, { class: "note" });
  const way = element("label", "By ", { class: "quiet" });
  const select = element("select", null, { id: "ad-spend-by" });
  const chosen = () => (context.params().get("spend") === "campaign" ? "campaign" : "source");
  const path = () => {
    const { from, to } = context.range();
    return `/v1/games/${encodeURIComponent(context.game)}/ad-spend?${new URLSearchParams({ from, to, by: chosen() })}`;
  };
  const download = async () => {
    const { from, to } = context.range();
    const answer = await send(`${path()}&format=csv`).catch(() => null);
    if (answer?.status === 200) save(await answer.blob(), `${context.game}-ad-spend-${from}-${to}.csv`);
    else note.textContent = "The file cannot be made at the moment; try again.";
  };
  const csv = button("CSV", download, { class: "action csv", "aria-label": `Download CSV: ${spec.title}` });
  select.replaceChildren(...WAYS.map(([value, text]) => option(value, text)));
  way.append(select);
  head.append(element("h2", spec.title), csv);
  section.append(head, way, state, note);

  const say = (outcome, ...nodes) => {
    state.replaceChildren(...nodes);
    csv.hidden = outcome !== "full";
    way.hidden = outcome === "empty";
    note.textContent = "";
    if (outcome !== "waiting") { section.removeAttribute("aria-busy"); section.dataset.state = outcome; }
    return outcome;
  };
  const wait = (text = "Reading the history…") => {
    say("waiting", element("p", text, { class: "waiting" }));
    section.setAttribute("aria-busy", "true");
  };
  const render = (answer) => {
    if (!answer.rows.length) {
      return say("empty",
        element("p", `No costs of advertising from ${answer.from} to ${answer.to}.`, { class: "empty" }),
        element("p", `scripts/spend upload FILE --game ${context.game} keeps the costs of a CSV file. Its columns are date, install_source, currency and amount, and campaign where costs are known by campaign.`, { class: "note" }));
    }
    const lacks = context.shared().filter(({ parameter }) => context.params().get(parameter)).map(({ label }) => label);
    const { label, description } = answer.metrics.find((one) => one.name === "return_on_ad_spend");
    say("full", scrolled(figures(spec, answer), spec.title));
    note.textContent = `${lacks.length ? `Not filtered by ${lacks.join(", ")}: costs have no such column. ` : ""}${label}: ${description}`;
    return "full";
  };

  let newest = 0;
  const load = async () => {
    const mine = ++newest;
    select.value = chosen();
    wait();
    const found = await context.ask(path(), () => { if (mine === newest) wait(RUNS); });
    if (mine !== newest || !found) return null;
    if (found.ok) return render(found.body);
    const words = (found.body.errors ?? []).map((error) => element("p", error.detail));
    return say("failed", element("p", found.body.detail), ...words, button("Try again", load));
  };
  select.addEventListener("change", () => context.change({ spend: select.value }, load));
  return { section, load, wait };
};
