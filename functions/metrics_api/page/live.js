// The game now: /live as server-sent events where the server can stream, else every 5 seconds; what changes
// slowly every 15 seconds. Nothing is asked for while the page is hidden.

import { get } from "./asking.js";
import { lines } from "./charts.js";
import { $, bar, button, byCurrency, clock, element, empty, lacking, money, number, option, precise, share, show, table, zone } from "./dom.js";
import { LABELS } from "./labels.js";
import { fail, settle } from "./settle.js";

const STALE_SECONDS = 30;
const MOST_FLOWS = 8;
let game = null;
let updated = null;
let source = null;
let timers = [];
let plots = {};
let notice = () => {};
let put = () => {};

// The minute that a link asks for, such as that of an alert: windows and alerts then end two minutes after it.
let at = null;

const until = () => (at ? `&until=${new Date(at.getTime() + 120000).toISOString()}` : "");

const showAt = (moment) => {
  at = moment;
  if (!at) put({ at: null });
  const shown = element("p", at ? `Windows and alerts of the minutes until ${at.toLocaleString()} ${zone}. ` : "", { class: "note" });
  if (at) shown.append(button("Show now", () => { showAt(null); loadSlow(); }, { class: "action" }));
  $("at").replaceChildren(...(at ? [shown] : []));
};

const PANELS = ["realtime", "alerts", "funnel", "levels", "economy", "ads", "design", "performance", "types"];
const wait = () => PANELS.forEach((id) => show(id, element("p", "Loading…", { class: "empty waiting" })));

const chart = (id, titles, data) => {
  const holder = $(id);
  const last = data.slice(1).map((series, n) => `${titles[n]} ${series.at(-1)}`).join(", ");
  const label = `By minute, now: ${last}`;
  if (plots[id]) { plots[id].setData(data); holder.setAttribute("aria-label", label); return; }
  plots[id] = lines(holder, data[0], data.slice(1).map((values, n) => ({ label: titles[n], values, fill: n === 0 })), {
    format: (value) => number.format(value), most: 5, label, local: true,
  });
};

const renderLive = (live) => {
  if (!$("concurrent")) return;
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
  // Amounts of two currencies are not compared: each has its largest flows, and bars of its own length.
  const each = Math.ceil(MOST_FLOWS / currencies.length);
  const flows = currencies.flatMap(({ currency, reasons }) => {
    const most = Math.max(1, ...reasons.map((r) => r.amount));
    return reasons.slice(0, each).map((r) => ({ ...r, currency, most }));
  });
  if (!flows.length) { show("economy", lacking("No virtual currency moved today.", "economy")); return; }
  const net = table("Currencies", [
    ["Currency", (c) => c.currency],
    [LABELS.source, (c) => number.format(c.source), true],
    [LABELS.sink, (c) => number.format(c.sink), true],
    ["Net", (c) => number.format(c.net), true],
  ], currencies);
  const reasons = table("Flows", [
    ["Reason", (f) => `${f.reason} (${f.currency})`],
    ["", (f) => bar(f.amount / f.most, f.flow === "sink" ? "second" : "")],
    ["", (f) => f.flow],
    ["Amount", (f) => number.format(f.amount), true],
  ], flows);
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

const ALERTS = {
  players_drop: (a) => `Players drop: ${number.format(Math.round(a.observed))} sessions with a heartbeat, ${number.format(Math.round(a.reference))} before`,
  crash_spike: (a) => `Crash spike: ${a.observed.toFixed(1)} per 1,000 player minutes, ${a.reference.toFixed(1)} before`,
  economy_inflation: (a) => `Inflation of ${a.subject}: ${number.format(a.observed)} in, ${number.format(a.reference)} out`,
  revenue_stop: (a) => `Revenue stopped: no purchase, ${number.format(a.reference)} before`,
};

const minors = (amounts) => Object.entries(amounts).sort()
  .map(([currency, minor]) => money(minor, currency)).join(" · ") || "–";

const renderRealtime = ({ windows, alerts, dropped_events: dropped }) => {
  const sum = (counts) => Object.values(counts).reduce((total, count) => total + count, 0);
  if (!windows.length) {
    show("realtime", empty(at ? "No window of these minutes. Windows are kept for 48 hours unless the environment says otherwise."
      : "Off, or nothing yet: the stream job publishes a minute about two minutes after it began."));
  } else {
    const both = document.createDocumentFragment();
    both.append(table("Real-time windows", [
      [`5 minutes from (${zone})`, (w) => clock(w.start)],
      [LABELS.heartbeat_sessions, (w) => number.format(w.heartbeat_sessions), true],
      [LABELS.active_players, (w) => number.format(w.active_players), true],
      [LABELS.session_starts, (w) => number.format(w.session_starts), true],
      [LABELS.sessions_ended, (w) => number.format(w.sessions_ended), true],
      ["Events", (w) => number.format(sum(w.events_by_type)), true],
      [LABELS.reported_payers, (w) => number.format(w.reported_payers), true],
      [LABELS.reported_revenue, (w) => minors(w.reported_revenue), true],
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
      [`At (${zone})`, (a) => clock(a.raised_at)],
      ["What", (a) => (ALERTS[a.alert] ?? ((other) => other.alert))(a)],
    ], alerts.slice(0, 8))
    : empty("None."));
};

// Whether the game declares custom dimensions that windows tell apart. If not, it is asked for them once.
let hasDimensions = true;

const byValue = ({ name, values }) => {
  const newest = values.flatMap(({ minutes }) => minutes.map((one) => one.start)).sort().at(-1);
  const players = ({ minutes }) => minutes.find((one) => one.start === newest)?.active_players ?? 0;
  const sum = ({ minutes }, figure) => minutes.reduce((total, one) => total + one[figure], 0);
  const revenue = ({ minutes }, figure) => {
    const total = {};
    for (const one of minutes) for (const [currency, minor] of Object.entries(one[figure])) total[currency] = (total[currency] ?? 0) + minor;
    return minors(total);
  };
  return table(`By ${name}`, [
    [name, ({ value }) => value],
    [`${LABELS.active_players} at ${clock(newest)}`, (one) => number.format(players(one)), true],
    [LABELS.crash_events, (one) => number.format(sum(one, "crash_events")), true],
    [LABELS.reported_revenue, (one) => revenue(one, "reported_revenue"), true],
    [LABELS.unverified_reported_revenue, (one) => revenue(one, "unverified_reported_revenue"), true],
  ], [...values].sort((a, b) => players(b) - players(a)));
};

const renderDimensions = ({ dimensions }) => {
  hasDimensions = dimensions.length > 0;
  $("by-value").hidden = !hasDimensions;
  const shown = document.createDocumentFragment();
  for (const one of dimensions) {
    shown.append(one.values.length ? byValue(one) : empty(`No window has a value of ${one.name} in these minutes.`));
  }
  show("dimensions", shown);
};

const loadDimensions = () => (hasDimensions
  ? settle(["dimensions"], `/v1/games/${game}/realtime/dimensions?minutes=30${until()}`, renderDimensions) : null);

const day = () => new Date().toISOString().slice(0, 10);

const today = () => `from=${day()}&to=${day()}`;

const loadAds = () => settle(["ads"], `/v1/games/${game}/ads?${today()}&limit=8&by=${$("ads-by").value}`, renderAds);

const loadDesign = () => settle(["design"],
  `/v1/games/${game}/design?${today()}&limit=8${under.length ? `&under=${under.join(":")}` : ""}`, renderDesign);

const loadSlow = () => Promise.all([
  settle(["realtime", "alerts"], `/v1/games/${game}/realtime?window=5m${until()}`, renderRealtime),
  loadDimensions(),
  settle(["funnel", "levels"], `/v1/games/${game}/funnel?${today()}`, renderFunnel),
  settle(["economy"], `/v1/games/${game}/economy?${today()}`, renderEconomy),
  loadAds(),
  loadDesign(),
]);

const loadLive = async () => {
  const asked = game;
  const wanted = () => asked === game && $("concurrent");
  try {
    const answer = await get(`/v1/games/${asked}/live`);
    if (wanted()) { renderLive(answer); notice(""); }
  } catch (error) { if (wanted()) notice(error.message); }
};

const stop = () => {
  source?.close();
  source = null;
  timers.forEach(clearInterval);
  timers = [];
};

const start = () => {
  stop();
  if (document.hidden) return;
  timers.push(setInterval(tick, 1000));
  loadSlow();
  timers.push(setInterval(loadSlow, 15000));
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
  $("age").textContent = seconds === null ? "connecting…" : `as of ${clock(updated, { timeStyle: "medium" })} ${zone}, ${seconds} s ago${stale ? " – not up to date" : ""}`;
};

// The view of the tab Live.
export const live = (holder, context) => {
  holder.append(document.querySelector("#live-view").content.cloneNode(true));
  for (const one of holder.querySelectorAll("[data-zone]")) one.textContent = `times in ${zone}`;
  ({ game, notice, put } = context);
  const minute = new Date(context.params().get("at") ?? NaN);
  updated = null;
  plots = {};
  under = [];
  hasDimensions = true;
  wait();
  showAt(Number.isNaN(minute.getTime()) ? null : minute);
  tick();
  $("ads-by").addEventListener("change", loadAds);
  const seen = () => (document.hidden ? stop() : start());
  document.addEventListener("visibilitychange", seen);
  start();
  return { close: () => { document.removeEventListener("visibilitychange", seen); stop(); notice(""); } };
};

const renderBoard = async () => {
  const asked = $("board").value || "global";
  const path = `/v1/games/${game}/leaderboards/${asked}?limit=10`;
  const none = () => show("leaderboard", lacking("No score yet.", "score_submitted"));
  await settle(["leaderboard"], path, ({ entries }) => {
    if (!entries.length) { none(); return; }
    show("leaderboard", table("Leaderboard", [
      ["Rank", (e) => e.rank], ["Player", (e) => e.player_id], ["Score", (e) => number.format(BigInt(e.score_text)), true],
    ], entries));
  }, (error) => { if (error.status === 404) none(); else fail("leaderboard", error.message); });
};

// The best players now, below what is told of one player.
export const leaderboard = (holder, context) => {
  const section = element("section", null, { class: "wide" });
  const label = element("label", "Board ", { class: "quiet" });
  const select = element("select", null, { id: "board" });
  label.append(select);
  section.append(element("h2", "Leaderboard"), label, element("div", null, { id: "leaderboard" }));
  holder.append(section);
  ({ game } = context);
  show("leaderboard", element("p", "Loading…", { class: "empty waiting" }));
  select.addEventListener("change", renderBoard);
  return {
    load: async () => {
      const { boards } = await get(`/v1/games/${game}/leaderboards`).catch(() => ({ boards: [] }));
      if (!select.isConnected) return;
      const ids = boards.length ? boards.map((one) => [one.board_id, one.title]) : [["global", "global"]];
      select.replaceChildren(...ids.map(([id, title]) => option(id, title)));
      await renderBoard();
    },
  };
};
