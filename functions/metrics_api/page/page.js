"use strict";

// Reads the metrics API of its own origin: /live as server-sent events where the server can stream, else
// every 5 seconds; what changes slowly every 15 seconds. Nothing is asked for while the page is hidden.

const $ = (id) => document.getElementById(id);
const number = new Intl.NumberFormat();
const share = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 0 });
const precise = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });
const STALE_SECONDS = 30;
let game = null;
let updated = null;
let source = null;
let timers = [];
const charts = {};

const micros = (amount, currency, digits) => new Intl.NumberFormat(undefined,
  { style: "currency", currency, ...(digits && { maximumFractionDigits: digits }) }).format(amount * 1e-6);
const byCurrency = (amounts, digits) => Object.entries(amounts).sort()
  .map(([currency, amount]) => micros(amount, currency, digits)).join(" · ") || "–";

const money = (minor, currency) => {
  const format = new Intl.NumberFormat(undefined, { style: "currency", currency });
  return format.format(minor / 10 ** format.resolvedOptions().maximumFractionDigits);
};

const element = (tag, text, attributes = {}) => {
  const made = document.createElement(tag);
  if (text !== undefined && text !== null) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
};

const bar = (part, kind = "") => {
  const outer = element("span", null, { class: `bar ${kind}`, "aria-hidden": "true" });
  const inner = element("i");
  inner.style.setProperty("--share", Math.max(0, Math.min(1, part || 0)));
  outer.append(inner);
  return outer;
};

const empty = (text) => element("p", text, { class: "empty" });

// What a panel without figures says: why it is empty, which events fill it, and where the first one is explained.
const lacking = (text, ...types) => {
  const both = document.createDocumentFragment();
  const hint = element("p", `Filled by ${types.join(", ")} events. `, { class: "note" });
  hint.append(element("a", "Send one", { href: "#recent" }));
  both.append(empty(text), hint);
  return both;
};

// Columns: [title, cell(row), is a number?]; a cell is text or an element.
const table = (caption, columns, rows, kind = "") => {
  const made = element("table", null, { class: kind, "aria-label": caption });
  const head = element("tr");
  for (const [title, , numeric] of columns) head.append(element("th", title, { scope: "col", class: numeric ? "n" : "" }));
  const body = element("tbody");
  for (const row of rows) {
    const line = element("tr");
    for (const [, cell, numeric] of columns) {
      const content = cell(row);
      if (content instanceof HTMLTableCellElement) { line.append(content); continue; }
      const td = element("td", null, { class: numeric ? "n" : "" });
      td.append(content instanceof Node ? content : String(content));
      line.append(td);
    }
    body.append(line);
  }
  const top = element("thead");
  top.append(head);
  made.append(top, body);
  return made;
};

const show = (id, node) => $(id).replaceChildren(node);

const PANELS = ["realtime", "alerts", "funnel", "levels", "economy", "ads", "design", "retention", "rejects", "leaderboard",
  "performance", "types", "quality", "recent"];
const wait = () => PANELS.forEach((id) => show(id, element("p", "Loading…", { class: "empty waiting" })));

// A panel keeps its last figures where a later answer fails, and says so.
const fail = (id, message) => {
  const note = element("p", `Not up to date: ${message}`, { class: "failed" });
  $(id).querySelector(".failed")?.remove();
  if ($(id).querySelector(".waiting")) show(id, note); else $(id).prepend(note);
};

const get = async (path) => {
  const answer = await fetch(path, { headers: { accept: "application/json" } });
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    throw Object.assign(new Error(problem.detail || `${answer.status} ${answer.statusText}`), { status: answer.status });
  }
  return answer.json();
};

// What is to be said as long as the game is shown; a failed answer is said until the next one is well.
let standing = "";
const notice = (text) => { $("notice").textContent = text || standing; $("notice").hidden = !(text || standing); };

const chart = (id, titles, data) => {
  const holder = $(id);
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const scheme = color("--accent");
  const width = holder.clientWidth || 600;
  if (!charts[id] || charts[id].scheme !== scheme) {
    charts[id]?.plot.destroy();
    const axis = { stroke: color("--quiet"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line") } };
    const plot = new uPlot({
      width, height: 210, cursor: { y: false },
      scales: { y: { range: (_, __, most) => [0, Math.max(5, most * 1.1)] } },
      axes: [axis, { ...axis, size: 55, values: (_, values) => values.map((v) => number.format(v)) }],
      series: [{}, ...titles.map((label, n) => {
        const stroke = color(n ? "--second" : "--accent");
        return { label, stroke, width: 2, fill: n ? undefined : `${stroke}22`, points: { show: false } };
      })],
    }, data, holder);
    charts[id] = { plot, scheme };
    holder.setAttribute("role", "img");
  } else {
    if (charts[id].plot.width !== width) charts[id].plot.setSize({ width, height: 210 });
    charts[id].plot.setData(data);
  }
  const last = data.slice(1).map((series, n) => `${titles[n]} ${series.at(-1)}`).join(", ");
  holder.setAttribute("aria-label", `By minute, now: ${last}`);
};

const renderLive = (live) => {
  updated = new Date(live.as_of);
  $("concurrent").textContent = number.format(live.concurrent_players);
  $("rate").textContent = number.format(live.events_per_second);
  const revenue = Object.entries(live.today.revenue).sort();
  $("revenue").textContent = revenue.map(([currency, minor]) => money(minor, currency)).join(" · ") || "0";
  $("revenue").classList.toggle("several", revenue.length > 1);
  const refunded = Object.entries(live.today.refunded).sort().map(([currency, minor]) => money(minor, currency));
  const returned = refunded.length ? `, ${refunded.join(" · ")} refunded` : "";
  const shares = Object.entries(live.today.unverified_share).sort().filter(([, part]) => part > 0);
  const told = shares.map(([currency, part]) => `${precise.format(part)} of ${currency}`).join(" · ");
  const unverified = told ? `, ${told} unverified` : "";
  $("purchases").textContent = `Purchases: ${number.format(live.today.purchases)}${returned}${unverified}`;
  $("dau").textContent = number.format(live.today.active_players);
  $("new-players").textContent = `${number.format(live.today.new_players)} new`;
  $("sessions").textContent = number.format(live.today.session_starts);
  $("events-today").textContent = `${number.format(live.today.events)} events`;
  const times = live.minutes.map((m) => Date.parse(m.minute) / 1000);
  chart("players-chart", [LABELS.concurrent_players, LABELS.active_players],
    [times, live.minutes.map((m) => m.concurrent_players), live.minutes.map((m) => m.active_players)]);
  chart("events-chart", [LABELS.events, `${LABELS.errors} and ${LABELS.crash_events}`],
    [times, live.minutes.map((m) => m.events), live.minutes.map((m) => m.errors + m.crash_events)]);
  const types = Object.entries(live.events_by_type).sort((a, b) => b[1] - a[1]);
  show("types", types.length
    ? table("Events by type", [["Type", (t) => t[0]], ["", (t) => bar(t[1] / types[0][1])], ["Events", (t) => number.format(t[1]), true]], types)
    : lacking("No events in the last 30 minutes.", "session_start"));
  const three = (p, names) => (p ? names.map((name) => number.format(Math.round(p[name]))).join(" / ") : "–");
  show("performance", live.performance.length
    ? table("Performance", [
      ["Device", (p) => `${p.platform} ${p.app_version}`],
      ["fps p5 / p50 / p95", (p) => three(p.fps, ["p5", "p50", "p95"]), true],
      ["latency ms p50 / p95 / p99", (p) => three(p.latency_ms, ["p50", "p95", "p99"]), true],
      ["events", (p) => number.format(p.performance_events), true],
    ], live.performance.slice(0, 8))
    : lacking("No performance events in the last 30 minutes.", "performance"));
};

const renderFunnel = ({ steps, levels }) => {
  show("funnel", steps[0]?.step_players
    ? table("Funnel", [
      ["Step", (s) => s.step],
      ["", (s) => bar(s.step_share)],
      [LABELS.step_players, (s) => number.format(s.step_players), true],
      [LABELS.step_share, (s) => share.format(s.step_share), true],
    ], steps)
    : lacking("Nobody has played today.", "session_start"));
  show("levels", levels.length
    ? table("Levels", [
      ["Level", (l) => l.level],
      ["", (l) => bar(l.completion)],
      [LABELS.completion, (l) => (l.completion === null ? "–" : share.format(l.completion)), true],
      [LABELS.starts, (l) => number.format(l.starts), true],
      [LABELS.fails, (l) => number.format(l.fails), true],
    ], levels.slice(0, 8))
    : lacking("No level was started today.", "progression"));
};

const renderEconomy = ({ currencies }) => {
  const flows = currencies.flatMap((c) => c.reasons.map((r) => ({ ...r, currency: c.currency })));
  const most = Math.max(1, ...flows.map((f) => f.amount));
  if (!flows.length) { show("economy", lacking("No virtual currency moved today.", "economy")); return; }
  const net = table("Currencies", [
    ["Currency", (c) => c.currency],
    [LABELS.source, (c) => number.format(c.source), true],
    [LABELS.sink, (c) => number.format(c.sink), true],
    ["Net", (c) => number.format(c.net), true],
  ], currencies);
  const reasons = table("Flows", [
    ["Reason", (f) => `${f.reason} (${f.currency})`],
    ["", (f) => bar(f.amount / most, f.flow === "sink" ? "second" : "")],
    ["", (f) => f.flow],
    ["Amount", (f) => number.format(f.amount), true],
  ], flows.slice(0, 8));
  const both = document.createDocumentFragment();
  both.append(net, reasons);
  show("economy", both);
};

const renderAds = ({ ads, totals, ad_arpdau_micros: arpdau }) => {
  if (!ads.length) { show("ads", lacking("No advertisement was shown today.", "ad_impression")); return; }
  const both = document.createDocumentFragment();
  const most = Math.max(...ads.map((a) => a.impressions));
  both.append(element("p", `${LABELS.ad_revenue_micros} ${byCurrency(totals.ad_revenue_micros)}, ${LABELS.ad_arpdau_micros} ${byCurrency(arpdau, 4)}`, { class: "note" }));
  both.append(table("Ads", [
    ["Name", (a) => a.network ?? a.placement ?? a.format],
    ["", (a) => bar(a.impressions / most)],
    [LABELS.impressions, (a) => number.format(a.impressions), true],
    [LABELS.completed_share, (a) => share.format(a.completed_share), true],
    [LABELS.ad_revenue_micros, (a) => byCurrency(a.ad_revenue_micros), true],
    [LABELS.ad_ecpm_micros, (a) => byCurrency(a.ad_ecpm_micros), true],
  ], ads, "many"));
  show("ads", both);
};

// The minute that a link asks for, such as that of an alert: windows and alerts then end two minutes after it.
let at = null;

const until = () => (at ? `&until=${new Date(at.getTime() + 120000).toISOString()}` : "");

const showAt = (moment) => {
  at = moment;
  const url = new URL(location.href);
  if (!at) url.searchParams.delete("at");
  history.replaceState(null, "", url);
  const shown = element("p", at ? `Windows and alerts of the minutes until ${at.toLocaleString()}. ` : "", { class: "note" });
  if (at) shown.append(action("Show now", () => { showAt(null); loadSlow(); }));
  $("at").replaceChildren(...(at ? [shown] : []));
};

// The parts of the name whose design events are shown.
let under = [];

const open = (parts) => { under = parts; loadDesign(); };

const step = (text, parts) => {
  const made = element("button", text, { type: "button", class: "step" });
  made.addEventListener("click", () => open(parts));
  return made;
};

const renderDesign = ({ names, totals }) => {
  $("design-path").replaceChildren(...(under.length ? ["all", ...under].map((part, n) => step(part, under.slice(0, n))) : []));
  if (!names.length) { show("design", under.length ? empty("No longer name was sent today.") : lacking("No design event was sent today.", "design")); return; }
  const most = Math.max(...names.map((n) => n.design_events));
  show("design", table("Design events", [
    ["Name", (n) => (n.has_parts ? step(n.name, n.name.split(":")) : n.name)],
    ["", (n) => bar(n.design_events / most)],
    [LABELS.design_events, (n) => number.format(n.design_events), true],
    [LABELS.value_sum, (n) => (n.valued_events && n.value_sum !== null ? number.format(n.value_sum) : "–"), true],
    [LABELS.value_mean, (n) => (n.value_mean === null ? "–" : number.format(n.value_mean)), true],
  ], names, "many"));
};

const renderRetention = ({ cohorts }) => {
  const installed = cohorts.filter((c) => c.cohort_players > 0).reverse();
  if (!installed.length) { show("retention", lacking("Nobody was new in the last two weeks.", "session_start")); return; }
  const depth = Math.max(...installed.map((c) => c.retention.findLastIndex((v) => v !== null)));
  const columns = [
    ["Install day", (c) => c.install_date],
    [LABELS.cohort_players, (c) => number.format(c.cohort_players), true],
    ...Array.from({ length: depth + 1 }, (_, n) => [`D${n}`, (c) => {
      const value = c.retention[n];
      if (value === null || value === undefined) return element("td", "", { class: "open", "aria-label": "not over yet" });
      const cell = element("td", share.format(value), { class: "cell", title: `${c.retained_players[n]} of ${c.cohort_players} players` });
      cell.style.setProperty("--share", value);
      return cell;
    }, true]),
  ];
  show("retention", table("Retention by install day", columns, installed, "heat"));
};

const renderRejects = (ingestion) => {
  const reasons = Object.entries(ingestion.rejected).sort((a, b) => b[1] - a[1]);
  if (!ingestion.total) { show("rejects", empty("Nothing arrived today.")); return; }
  const both = document.createDocumentFragment();
  both.append(element("p", `${precise.format(ingestion.rejected_share)} of ${number.format(ingestion.total)} events`, { class: "note" }));
  if (reasons.length) {
    both.append(table("Rejected by reason", [
      ["Reason", (r) => r[0].replaceAll("_", " ")],
      ["", (r) => bar(r[1] / reasons[0][1], "bad")],
      ["Events", (r) => number.format(r[1]), true],
    ], reasons));
  }
  show("rejects", both);
};

const renderBoard = async () => {
  const board = $("board").value || "global";
  try {
    const { entries } = await get(`/v1/games/${game}/leaderboards/${board}?limit=10`);
    show("leaderboard", entries.length
      ? table("Leaderboard", [["#", (e) => e.rank], ["Player", (e) => e.player_id], ["Score", (e) => number.format(BigInt(e.score_text)), true]], entries)
      : lacking("No score yet.", "score_submitted"));
  } catch (error) {
    show("leaderboard", error.status === 404 ? lacking("No score yet.", "score_submitted") : empty(error.message));
  }
};

const loadBoards = async () => {
  const { boards } = await get(`/v1/games/${game}/leaderboards`).catch(() => ({ boards: [] }));
  const ids = boards.length ? boards.map((b) => [b.board_id, b.title]) : [["global", "global"]];
  $("board").replaceChildren(...ids.map(([id, title]) => element("option", title, { value: id })));
};

const ALERTS = {
  players_drop: (a) => `Players drop: ${number.format(Math.round(a.observed))} sessions with a heartbeat, ${number.format(Math.round(a.reference))} before`,
  crash_spike: (a) => `Crash spike: ${a.observed.toFixed(1)} per 1,000 player minutes, ${a.reference.toFixed(1)} before`,
  economy_inflation: (a) => `Inflation of ${a.subject}: ${number.format(a.observed)} in, ${number.format(a.reference)} out`,
  revenue_stop: (a) => `Revenue stopped: no purchase, ${number.format(a.reference)} before`,
};

const renderRealtime = ({ windows, alerts, dropped_events: dropped }) => {
  const sum = (counts) => Object.values(counts).reduce((total, count) => total + count, 0);
  if (!windows.length) {
    show("realtime", empty(at ? "No window of these minutes. Windows are kept for 48 hours unless the environment says otherwise."
      : "Off, or nothing yet: the stream job publishes a minute about two minutes after it began."));
  } else {
    const both = document.createDocumentFragment();
    both.append(table("Real-time windows", [
      ["5 minutes from", (w) => new Date(w.start).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })],
      [LABELS.heartbeat_sessions, (w) => number.format(w.heartbeat_sessions), true],
      [LABELS.active_players, (w) => number.format(w.active_players), true],
      [LABELS.session_starts, (w) => number.format(w.session_starts), true],
      [LABELS.sessions_ended, (w) => number.format(w.sessions_ended), true],
      ["Events", (w) => number.format(sum(w.events_by_type)), true],
      [LABELS.reported_payers, (w) => number.format(w.reported_payers), true],
      [LABELS.reported_revenue, (w) => Object.entries(w.reported_revenue).map(([currency, minor]) => money(minor, currency)).join(" · ") || "–", true],
      [LABELS.unverified_reported_share, (w) => Object.entries(w.unverified_reported_share).filter(([, part]) => part > 0).map(([currency, part]) => `${currency} ${Math.round(100 * part)}%`).join(" · ") || "–", true],
      ["fps p5", (w) => (w.fps ? number.format(Math.round(w.fps.p5)) : "–"), true],
      [LABELS.crash_events, (w) => number.format(w.crash_events), true],
      [LABELS.impressions, (w) => number.format(w.impressions), true],
      [LABELS.ad_revenue_micros, (w) => byCurrency(w.ad_revenue_micros), true],
    ], windows.slice(-8).reverse()));
    const newest = windows.at(-1);
    const names = Object.entries(newest.design_events_by_name).sort((a, b) => b[1] - a[1]).slice(0, 8);
    if (names.length) {
      both.append(table("Design events of the newest window", [
        ["Design event", ([name]) => name],
        ["", ([, events]) => bar(events / names[0][1])],
        ["Events", ([, events]) => number.format(events), true],
      ], names));
    }
    const played = ({ wins, losses, draws, abandons }) => wins + losses + draws + abandons;
    const modes = Object.entries(newest.matches).sort((a, b) => played(b[1]) - played(a[1])).slice(0, 8);
    if (modes.length) {
      both.append(table("Matches of the newest window", [
        ["Mode", ([mode]) => mode],
        ...["wins", "losses", "draws", "abandons"].map((name) => [LABELS[name], ([, ends]) => number.format(ends[name]), true]),
      ], modes));
    }
    if (dropped) both.append(element("p", `${number.format(dropped)} events came too late for their window in the last hour.`, { class: "note" }));
    show("realtime", both);
  }
  show("alerts", alerts.length
    ? table("Alerts", [
      ["At", (a) => new Date(a.raised_at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })],
      ["What", (a) => (ALERTS[a.alert] ?? ((other) => other.alert))(a)],
    ], alerts.slice(0, 8))
    : empty("None."));
};

const VERDICTS = { pass: "✓ pass", warn: "△ warn", fail: "✕ fail", unknown: "? unknown" };

const renderQuality = ({ checks, checked_at: at }) => {
  if (!checks.length) {
    show("quality", empty("Not judged yet: the checks run each hour."));
    return;
  }
  const order = ["fail", "warn", "pass", "unknown"];
  const sorted = [...checks].sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
  show("quality", table(`Data quality at ${new Date(at).toLocaleString()}`, [
    ["Check", (c) => c.name],
    ["Verdict", (c) => element("span", VERDICTS[c.verdict], { class: `verdict ${c.verdict}` })],
    ["Found", (c) => c.message],
  ], sorted));
};

const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

const sample = () => {
  const now = new Date().toISOString();
  return {
    event_id: crypto.randomUUID(), event_type: "design", schema_version: "1-0-0", game_id: game, player_id: "test-player",
    session_id: crypto.randomUUID(), sequence: 0, event_time: now, sent_at: now,
    client: { platform: "other", app_version: "0" }, payload: { name: "test:event" },
  };
};

// Where each envelope is sent to. The key is a placeholder: the platform keeps none that could be shown.
const routes = {
  amplitude: "v1/compat/amplitude/2/httpapi",
  gameanalytics: "v1/compat/gameanalytics/v2/game-key/events",
  native: "v1/events",
  unity: "v1/compat/unity/api/analytics/collect/v1/projects/project/environments/production",
};

const curl = (base, body, envelope = "native") => (envelope === "guidance"
  ? `curl -X POST ${quoted(`${base}/applications/${game}/events`)} -H 'authorization: YOUR_KEY'`
  : `curl -X POST ${quoted(`${base}/${routes[envelope]}`)} -H 'x-api-key: YOUR_KEY'`)
  + ` -H 'content-type: application/json' --data-raw ${quoted(body)}`;

const eventIds = { amplitude: "insert_id", gameanalytics: "event_uuid", guidance: "event_id", native: "event_id", unity: "eventUUID" };

// An event that is sent again needs an id of its own, or it is a duplicate; bytes that are no JSON stay as they are.
const again = ({ original, envelope }) => {
  try {
    const event = JSON.parse(original);
    const inner = envelope === "guidance" && event.event ? event.event : event;
    inner[eventIds[envelope]] = crypto.randomUUID();
    if (envelope === "native") inner.sent_at = new Date().toISOString();
    return JSON.stringify(event);
  } catch { return original; }
};

const showCurl = async (command) => {
  const [note, text] = $("curl").children;
  $("curl").hidden = false;
  text.textContent = command;
  note.textContent = await navigator.clipboard.writeText(command).then(() => "Copied:", () => "Copy this:");
};

const action = (text, run) => {
  const made = element("button", text, { type: "button", class: "action" });
  made.addEventListener("click", run);
  return made;
};

const why = (e) => {
  if (e.result === "withheld") return "The player did not agree to analytics.";
  if (!e.reason) return e.flags.join(", ");
  const list = element("ul");
  list.append(...e.errors.map(({ pointer, message }) => element("li", message, { title: `at ${pointer || "/"}` })));
  const both = document.createDocumentFragment();
  both.append(`${e.reason}:`, list);
  return both;
};

// What to do first, as no event has come.
const firstSteps = (base) => {
  const steps = document.createDocumentFragment();
  steps.append(empty("No event has come in the last 24 hours. To send the first one:"));
  const list = element("ol");
  const key = element("li", "Make a key: ");
  key.append(element("code", `scripts/games rotate ${game}`));
  const first = element("li", "Send an event with it, in the place of YOUR_KEY: ");
  const command = curl(base, JSON.stringify(sample()));
  first.append(action("Copy as curl", () => showCurl(command)), element("pre", command, { tabindex: "0" }));
  list.append(key, first, element("li", "It appears here within seconds, and so does the reason where it is rejected."));
  steps.append(list);
  return steps;
};

const VERDICT_OF = { accepted: "pass", rejected: "fail", withheld: "unknown" };

const renderRecent = ({ enabled, events, left_out: left, ingest_url: base, takes_test_events: tests }) => {
  $("test-event").hidden = !tests || !enabled;
  $("ingest-url").replaceChildren("Games send to ", element("code", `${base}/v1/events`));
  const types = new Set([...$("recent-types").children].map((option) => option.value));
  for (const e of events) if (e.event_type) types.add(e.event_type);
  $("recent-types").replaceChildren(...[...types].sort().map((type) => element("option", null, { value: type })));
  if (!enabled) { show("recent", empty("Off: the settings of this game keep no recent events.")); return; }
  const isFiltered = ["player", "type", "result"].some((name) => $(`recent-${name}`).value);
  if (!events.length) { show("recent", isFiltered ? empty("No recent event matches.") : firstSteps(base)); return; }
  const both = document.createDocumentFragment();
  if (left) both.append(element("p", `A sample: ${number.format(left)} more events came at the same time.`, { class: "note" }));
  const rows = table("Recent events", [
    ["Arrived", (e) => new Date(e.received_at).toLocaleTimeString([], { timeStyle: "medium" })],
    ["Result", (e) => element("span", e.result, { class: `verdict ${VERDICT_OF[e.result]}` })],
    ["Type", (e) => e.event_type ?? "–"],
    ["Player", (e) => e.player_id ?? "–"],
    ["Why", why],
    ["", (e) => (e.original ? action("Copy as curl", () => showCurl(curl(base, again(e), e.envelope))) : "")],
  ], events, "events");
  const frame = element("div", null, { class: "scroll", tabindex: "0", role: "region", "aria-label": "Recent events" });
  frame.append(rows);
  // A reader who has scrolled down stays there when the panel is drawn anew.
  const place = $("recent").querySelector(".scroll")?.scrollTop ?? 0;
  both.append(frame);
  show("recent", both);
  frame.scrollTop = place;
};

// What each panel asked for last: an answer to an older question is dropped.
const asked = {};

const settle = async (panels, path, render) => {
  asked[panels[0]] = path;
  const wanted = () => asked[panels[0]] === path;
  try {
    const answer = await get(path);
    if (wanted()) render(answer);
  } catch (error) {
    if (wanted()) panels.forEach((id) => fail(id, error.message));
  }
};

const day = (offset = 0) => new Date(Date.now() - offset * 86400000).toISOString().slice(0, 10);

const today = () => `from=${day()}&to=${day()}`;

const loadAds = () => settle(["ads"], `/v1/games/${game}/ads?${today()}&limit=8&by=${$("ads-by").value}`, renderAds);

const loadDesign = () => settle(["design"],
  `/v1/games/${game}/design?${today()}&limit=8${under.length ? `&under=${under.join(":")}` : ""}`, renderDesign);

const loadRecent = () => {
  const filters = new URLSearchParams();
  for (const name of ["player", "type", "result"]) {
    const { value, validity } = $(`recent-${name}`);
    if (value && validity.valid) filters.set(name, value);
  }
  return settle(["recent"], `/v1/games/${game}/events/recent?${filters}`, renderRecent);
};

const sendTestEvent = async () => {
  const headers = { "content-type": "application/json", "x-test-event": "1" };
  try {
    const answer = await fetch(`/v1/games/${game}/events/test`, { method: "POST", headers, body: JSON.stringify(sample()) });
    if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
    await loadRecent();
  } catch (error) { fail("recent", error.message); }
};

const loadSlow = () => Promise.all([
  settle(["realtime", "alerts"], `/v1/games/${game}/realtime?window=5m${until()}`, renderRealtime),
  settle(["quality"], `/v1/games/${game}/quality`, renderQuality),
  settle(["funnel", "levels"], `/v1/games/${game}/funnel?${today()}`, renderFunnel),
  settle(["economy"], `/v1/games/${game}/economy?${today()}`, renderEconomy),
  loadAds(),
  loadDesign(),
  settle(["retention"], `/v1/games/${game}/retention?from=${day(13)}&to=${day()}&depth=13`, renderRetention),
  settle(["rejects"], `/v1/games/${game}/ingestion?${today()}`, renderRejects),
  renderBoard(),
]);

const loadLive = async () => {
  try { renderLive(await get(`/v1/games/${game}/live`)); notice(""); } catch (error) { notice(error.message); }
};

const stop = () => {
  source?.close();
  source = null;
  timers.forEach(clearInterval);
  timers = [];
};

const start = () => {
  stop();
  if (!game || document.hidden) return;
  loadSlow();
  timers.push(setInterval(loadSlow, 15000));
  loadRecent();
  timers.push(setInterval(loadRecent, 3000));
  loadLive();
  const poll = () => { if (!timers.polling) { timers.polling = true; timers.push(setInterval(loadLive, 5000)); } };
  source = new EventSource(`/v1/games/${game}/live/stream`);
  source.onmessage = (message) => renderLive(JSON.parse(message.data));
  source.onerror = () => { if (source?.readyState === EventSource.CLOSED) poll(); };
};

const tick = () => {
  const seconds = updated ? Math.max(0, Math.round((Date.now() - updated) / 1000)) : null;
  const stale = seconds === null || seconds > STALE_SECONDS;
  $("freshness").className = seconds === null ? "" : stale ? "stale" : "fresh";
  $("age").textContent = seconds === null ? "connecting…" : `as of ${updated.toLocaleTimeString()}, ${seconds} s ago${stale ? " – not up to date" : ""}`;
};

const choose = async (id) => {
  game = id;
  updated = null;
  const url = new URL(location.href);
  url.searchParams.set("game", id);
  history.replaceState(null, "", url);
  $("to-history").href = `/history?game=${id}`;
  $("to-explore").href = `/explore?game=${id}`;
  document.title = `${$("game").selectedOptions[0]?.textContent ?? id} · live`;
  under = [];
  $("design-path").replaceChildren();
  $("recent-types").replaceChildren();
  $("recent-filter").reset();
  $("curl").hidden = true;
  wait();
  await loadBoards();
  start();
};

const main = async () => {
  setInterval(tick, 1000);
  document.addEventListener("visibilitychange", () => (document.hidden ? stop() : start()));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", loadLive);
  addEventListener("resize", () => Object.entries(charts).forEach(([id, { plot }]) => plot.setSize({ width: $(id).clientWidth, height: 210 })));
  $("board").addEventListener("change", renderBoard);
  $("ads-by").addEventListener("change", loadAds);
  $("recent-filter").addEventListener("input", loadRecent);
  $("recent-filter").addEventListener("submit", (event) => event.preventDefault());
  $("test-event").addEventListener("click", sendTestEvent);
  $("game").addEventListener("change", () => { standing = ""; choose($("game").value); });
  let games;
  try { ({ games } = await get("/v1/games")); } catch (error) { notice(error.message); return; }
  if (!games.length) { notice("No game is registered yet: scripts/games add <game_id> --name <title>"); return; }
  const { searchParams: asks } = new URL(location.href);
  const minute = new Date(asks.get("at") ?? NaN);
  showAt(Number.isNaN(minute.getTime()) ? null : minute);
  const wanted = asks.get("game");
  const known = games.some((g) => g.game_id === wanted);
  if (wanted && !known) standing = `The game ${wanted} is not registered; another one is shown.`;
  $("game").replaceChildren(...games.map((g) => element("option", g.status === "active" ? g.name : `${g.name} (${g.status})`, { value: g.game_id })));
  $("game").value = known ? wanted : (games.find((g) => g.status === "active") ?? games[0]).game_id;
  await choose($("game").value);
};

// The history page uses the helpers of this file, and has no live panels.
if ($("players-chart")) main();
