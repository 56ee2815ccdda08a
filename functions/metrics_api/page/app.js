// The shell: navigation, game, days, filters and what is in the address. A view is a tab's parts, drawn for one game.

import { annotations } from "./annotations.js";
import { get } from "./asking.js";
import { redraw } from "./charts.js";
import { $, DAY, TABLES, ago, button, element, iso, option, saveTables } from "./dom.js";
import { TABS } from "./tabs.js";

const DAYS = 28;
const PRESETS = [7, 28, 90, 365];
const RELEASES_SINCE_DAYS = 35;
const MOST_MARKS = 12;
const QUALITY_HOURS = 24 * 35;
// What another tab does not know stays behind.
const KEPT = ["game", "from", "to", "grain", "compare", "group"];

// What one view alone knows. Until the columns of the tables are known, others may be filters.
const OWN = ["at", "q", "saved", "table", "metric", "by", "spend"];

let games = [];
let game = null;
let tables = [];
let chosen = {};
let marks = [];
let notes = null;
let parts = [];
let newest = 0;
let marking = 0;
let drawMarks = () => {};

const params = () => new URL(location.href).searchParams;
const tabOf = (path) => TABS.find((tab) => tab.path === path) ?? TABS[0];

// Columns of several tables that have a row of all values: every view can be filtered and grouped by them.
const shared = () => {
  const found = new Map();
  for (const one of tables.flatMap(({ dimensions }) => dimensions)) {
    if (one.has_totals) found.set(one.name, { ...one, times: (found.get(one.name)?.times ?? 0) + 1 });
  }
  return [...found.values()].filter(({ times }) => times > 1);
};

const range = () => {
  const at = params();
  const grain = at.get("grain");
  return {
    // The batch run of the night writes yesterday.
    from: at.get("from") || ago(DAYS), to: at.get("to") || ago(1), group: at.get("group") ?? "",
    grain: ["day", "week", "month"].includes(grain) ? grain : "day", compare: at.get("compare") === "previous",
  };
};

const address = (path, at) => `${path}?${new URLSearchParams([...at].filter(([name]) => KEPT.includes(name)
  || (!tables.length && !OWN.includes(name)) || shared().some(({ parameter }) => parameter === name)))}`;

const put = (changes) => {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) url.searchParams.delete(name); else url.searchParams.set(name, value);
  }
  history.replaceState(null, "", url);
  link();
};

// The links to the other tabs keep the game, the days and the filters.
const link = () => {
  for (const one of document.querySelectorAll("#tabs a")) one.href = address(one.dataset.path, params());
};

let standing = "";
const notice = (text) => { $("notice").textContent = text || standing; $("notice").hidden = !(text || standing); };

const change = async (changes, load) => {
  put(changes);
  fill();
  if (load) await load(); else await refresh();
};

const last = (days) => change({ from: ago(days), to: ago(1) });

// What a column can be chosen from: its values in these days, the largest first.
const choices = async ({ choices: columns = [] }, ask) => {
  chosen = {};
  const { from, to } = range();
  await Promise.all(columns.map(async ({ column, table, fixed, label, beside }) => {
    const known = tables.find((one) => one.name === table);
    if (!known) return;
    const asked = new URLSearchParams({ from, to, grain: "range", by: [column, beside].filter(Boolean).join(","), ...fixed });
    const found = await ask(`/v1/games/${encodeURIComponent(game)}/history/${table}?${asked}`);
    const rows = found?.ok ? found.body.rows : [];
    const size = (row) => Object.values(row.figures)[0] ?? 0;
    const values = [...new Set(rows.sort((a, b) => size(b) - size(a)).map((row) => row.slices[column]).filter(Boolean))];
    const named = params().get(column);
    if (named && !values.includes(named)) values.push(named);
    chosen[column] = { value: named || values[0] || "", values, label: label ?? known.dimensions.find((one) => one.name === column).label };
  }));
  fillChoices();
};

const fillChoices = () => {
  $("choices").replaceChildren(...Object.entries(chosen).filter(([, { values }]) => values.length).map(([column, { value, values, label }]) => {
    const holder = element("label", `${label} `);
    const select = element("select", null, { id: `choice-${column}` });
    select.replaceChildren(...values.map((one) => option(one, one)));
    select.value = value;
    select.addEventListener("change", () => change({ [column]: select.value }));
    holder.append(select);
    return holder;
  }));
};

const plural = (count, name) => `${count} ${name}${count === 1 ? "" : "s"}`;

const titled = (releases, findings, written) => {
  const named = [
    releases.length ? plural(releases.length, "release") : "", findings.length ? plural(findings.length, "day") + " with findings on data quality" : "",
    written.length ? plural(written.length, "annotation") : "",
  ].filter(Boolean).join(", ");
  return named ? `Marked in the charts: ${named}` : "Mark a day in the charts";
};

// Releases are the first day of a version in the data; findings are checks of the data that failed on a day.
const mark = async () => {
  const mine = ++marking;
  const { from, to } = range();
  const since = iso(Date.parse(from) - RELEASES_SINCE_DAYS * DAY);
  const asked = new URLSearchParams({ from: since, to, by: "app_version", metrics: "sessions" });
  const base = `/v1/games/${encodeURIComponent(game)}`;
  const [versions, quality] = await Promise.all([
    get(`${base}/history/daily?${asked}`).catch(() => null),
    get(`${base}/quality?hours=${QUALITY_HOURS}`).catch(() => null),
    notes.load(game),
  ]);
  if (mine !== marking) return;
  const first = new Map();
  for (const row of versions?.rows ?? []) if (!first.has(row.slices.app_version)) first.set(row.slices.app_version, row.from);
  const begin = [...first.values()].sort()[0];
  // A version that is there on the first day may be older.
  const releases = [...first].filter(([, day]) => day > begin && day >= from && day <= to)
    .map(([version, day]) => ({ day, short: version.slice(0, 12), text: `Version ${version} is first seen`, kind: "release" }));
  const failed = new Map();
  for (const { checked_at: at, failed: names } of quality?.hours ?? []) {
    const day = at.slice(0, 10);
    if (names.length && day >= from && day <= to) failed.set(day, new Set([...(failed.get(day) ?? []), ...names]));
  }
  const findings = [...failed].map(([day, names]) => ({ day, short: "data", text: `Data quality failed: ${[...names].sort().join(", ").replaceAll("_", " ")}`, kind: "finding" }));
  const found = [...releases, ...findings];
  drawMarks = () => {
    const written = notes.marks({ from, to });
    const byDay = (a, b) => a.day.localeCompare(b.day);
    // What people wrote is never left out.
    const all = [...found.sort(byDay).slice(-MOST_MARKS), ...written].sort(byDay);
    marks = all.map((one) => ({ ...one, at: Date.parse(one.day) / 1000 }));
    const list = element("ul");
    for (const one of all) {
      const item = element("li", null, { class: one.kind });
      item.append(notes.words(one), ...notes.remover(one));
      list.append(item);
    }
    $("marks").hidden = !all.length && !notes.mayChange();
    $("marks").querySelector("summary").textContent = titled(releases, findings, written);
    $("marks").querySelector("ul").replaceWith(list);
    redraw();
  };
  drawMarks();
};

// The values of a filter are asked for when somebody goes to it.
const suggest = async (one, list) => {
  if (list.dataset.game === game) return;
  list.dataset.game = game;
  const known = tables.find(({ dimensions }) => dimensions.some(({ name }) => name === one.name));
  const { from, to } = range();
  const asked = new URLSearchParams({ from, to, grain: "range", by: one.name });
  const { rows } = await get(`/v1/games/${encodeURIComponent(game)}/history/${known.name}?${asked}`).catch(() => ({ rows: [] }));
  list.replaceChildren(...rows.map((row) => option(row.slices[one.name], null)));
};

const fillFilters = () => {
  const columns = shared();
  const key = columns.map(({ name }) => name).join();
  if ($("only").dataset.columns !== key) {
    $("only").dataset.columns = key;
    $("only").replaceChildren($("only").querySelector("legend"), ...columns.map((one) => {
      const label = element("label", `${one.label} `);
      const list = element("datalist", null, { id: `values-${one.name}` });
      const input = element("input", null, { name: one.parameter, placeholder: "all", maxlength: "128", autocomplete: "off", list: list.id });
      input.addEventListener("focus", () => suggest(one, list));
      input.addEventListener("change", () => change({ [one.parameter]: input.value.trim() || null }));
      label.append(input, list);
      return label;
    }));
    $("group").replaceChildren(option("", "nothing"), ...columns.map((one) => option(one.name, one.label)));
  }
  for (const { parameter } of columns) $("only").querySelector(`[name="${parameter}"]`).value = params().get(parameter) ?? "";
};

const fill = () => {
  const { from, to, grain, compare, group } = range();
  $("from").value = from;
  $("to").value = to;
  const days = Math.round((Date.parse(to) - Date.parse(from)) / DAY) + 1;
  $("preset").value = to === ago(1) && PRESETS.includes(days) ? String(days) : "";
  $("range-grain").value = grain;
  $("compare").checked = compare;
  fillFilters();
  $("group").value = group;
  const set = shared().filter(({ parameter }) => params().get(parameter)).length + (group ? 1 : 0);
  $("more").querySelector("summary").textContent = set ? `Filters and groups (${set})` : "Filters and groups";
};

const context = () => ({
  game, params, range, shared, change, last, choices, notice, put, name: games.find((one) => one.game_id === game)?.name ?? game,
  table: (name) => tables.find((one) => one.name === name), has: (name) => tables.some((one) => one.name === name),
  choice: (column) => chosen[column]?.value ?? "", marks: () => marks,
});

const refresh = async () => {
  marks = [];
  if (tabOf(location.pathname).controls === "all") mark();
  await Promise.all(parts.map((part) => part.load?.()));
};

// Each section with tables can be saved; those of the history have a file from the API.
const offerTables = (section) => {
  const title = section.querySelector(":scope > h2");
  if (!title || section.querySelector(".csv")) return;
  const save = button("CSV", () => saveTables(section, `${game}-${section.dataset.name ?? title.textContent.trim().toLowerCase().replaceAll(/[^a-z]+/g, "-")}`), {
    class: "action csv", "aria-label": `Download CSV: ${title.firstChild?.textContent.trim() ?? ""}`,
  });
  const look = () => { save.hidden = !section.querySelector(TABLES); };
  look();
  title.after(save);
  section.classList.add("headed");
  new MutationObserver(look).observe(section, { childList: true, subtree: true });
};

const close = () => {
  newest += 1;
  marking += 1;
  for (const part of parts) part.close?.();
  parts = [];
  chosen = {};
  marks = [];
};

const open = async ({ focus = false } = {}) => {
  close();
  const mine = newest;
  const tab = tabOf(location.pathname);
  $("heading").textContent = tab.title;
  document.title = `${tab.title} · ${games.find((one) => one.game_id === game)?.name ?? "Player analytics"}`;
  for (const one of document.querySelectorAll("#tabs a")) {
    if (one.dataset.path === tab.path) { one.setAttribute("aria-current", "page"); one.scrollIntoView({ block: "nearest", inline: "center" }); } else one.removeAttribute("aria-current");
  }
  document.body.dataset.tab = tab.name;
  $("freshness").hidden = tab.name !== "live";
  $("range").hidden = !tab.controls;
  $("range").className = tab.controls ?? "";
  $("marks").hidden = true;
  $("choices").replaceChildren();
  $("about-tab").textContent = tab.about ?? "";
  $("view").replaceChildren();
  if (focus) $("heading").focus({ preventScroll: true });
  scrollTo(0, 0);
  if (!game) return;
  if (tab.controls && !tables.length) {
    $("view").append(element("p", "Loading…", { class: "empty waiting" }));
    try { ({ tables } = await get(`/v1/games/${encodeURIComponent(game)}/history`)); } catch (error) {
      if (mine === newest) {
        const failed = element("section", null, { class: "hint" });
        failed.append(element("p", error.message), button("Try again", () => open()));
        $("view").replaceChildren(failed);
      }
      return;
    }
    if (mine !== newest) return;
    $("view").replaceChildren();
  }
  link();
  fill();
  parts = tab.parts.map((part) => {
    const holder = element("div", null, { class: "grid" });
    $("view").append(holder);
    const made = part(holder, context());
    for (const section of holder.querySelectorAll("section")) offerTables(section);
    return made;
  });
  await refresh();
};

const choose = async (id) => {
  game = id;
  tables = [];
  put({ game: id });
  await open();
};

const listen = () => {
  notes = annotations(() => drawMarks());
  $("tabs").replaceChildren(...TABS.map((tab) => {
    const item = element("li");
    item.append(element("a", tab.title, { href: tab.path, "data-path": tab.path }));
    return item;
  }));
  link();
  document.addEventListener("click", (event) => {
    const to = event.target.closest?.("a[href]");
    if (!to || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const url = new URL(to.href);
    if (url.origin !== location.origin || !TABS.some((tab) => tab.path === url.pathname)) return;
    event.preventDefault();
    // Some links name what one view alone knows; the others keep what all views know.
    history.pushState(null, "", "whole" in to.dataset ? url : address(url.pathname, url.searchParams));
    open({ focus: true });
  });
  addEventListener("popstate", () => open({ focus: true }));
  $("game").addEventListener("change", () => { standing = ""; notice(""); choose($("game").value); });
  $("preset").addEventListener("change", () => { if ($("preset").value) last(Number($("preset").value)); });
  for (const name of ["from", "to"]) $(name).addEventListener("change", () => change({ [name]: $(name).value || null }));
  $("range-grain").addEventListener("change", () => change({ grain: $("range-grain").value }));
  $("group").addEventListener("change", () => change({ group: $("group").value || null }));
  $("compare").addEventListener("change", () => change({ compare: $("compare").checked ? "previous" : null }));
  $("range").addEventListener("submit", (event) => event.preventDefault());
  $("more").open = innerWidth > 1000;
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => open());
};

const main = async () => {
  listen();
  // The view's frame and title are there before the API has answered.
  $("heading").textContent = tabOf(location.pathname).title;
  try { ({ games } = await get("/v1/games")); } catch (error) {
    notice(error.status ? error.message : "The API does not answer. Look whether it runs and whether you are connected.");
    return;
  }
  if (!games.length) { notice("No game is registered yet: scripts/games add <game_id> --name <title>"); return; }
  const wanted = params().get("game");
  const known = games.some((one) => one.game_id === wanted);
  $("game").replaceChildren(...games.map((one) => option(one.game_id, one.status === "active" ? one.name : `${one.name} (${one.status})`)));
  $("game").value = known ? wanted : (games.find((one) => one.status === "active") ?? games[0]).game_id;
  if (wanted && !known) standing = `The game ${wanted} is not registered; another one is shown.`;
  notice("");
  await choose($("game").value);
};

main();
