// The tail: what arrived, what became of it and why, and how to send it again.

import { send } from "./asking.js";
import { $, button, clock, element, empty, number, scrolled, show, table, zone } from "./dom.js";
import { fail, settle } from "./settle.js";

const FILTERS = ["player", "type", "result"];
let game = null;

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

const action = (text, run) => button(text, run, { class: "action" });

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
  const isFiltered = FILTERS.some((name) => $(`recent-${name}`).value);
  if (!events.length) { show("recent", isFiltered ? empty("No recent event matches.") : firstSteps(base)); return; }
  const both = document.createDocumentFragment();
  if (left) both.append(element("p", `A sample: ${number.format(left)} more events came at the same time.`, { class: "note" }));
  const rows = table("Recent events", [
    [`Arrived (${zone})`, (e) => clock(e.received_at, { timeStyle: "medium" })],
    ["Result", (e) => element("span", e.result, { class: `verdict ${VERDICT_OF[e.result]}` })],
    ["Type", (e) => e.event_type ?? "–"],
    ["Player", (e) => e.player_id ?? "–"],
    ["Why", why],
    ["", (e) => (e.original ? action("Copy as curl", () => showCurl(curl(base, again(e), e.envelope))) : "")],
  ], events, "events");
  const frame = scrolled(rows, "Recent events");
  // A reader who has scrolled down stays there when the panel is drawn anew.
  const place = $("recent").querySelector(".scroll")?.scrollTop ?? 0;
  both.append(frame);
  show("recent", both);
  frame.scrollTop = place;
};

const loadRecent = () => {
  const filters = new URLSearchParams();
  for (const name of FILTERS) {
    const { value, validity } = $(`recent-${name}`);
    if (value && validity.valid) filters.set(name, value);
  }
  return settle(["recent"], `/v1/games/${game}/events/recent?${filters}`, renderRecent);
};

const sendTestEvent = async () => {
  const headers = { "content-type": "application/json", "x-test-event": "1" };
  try {
    const answer = await send(`/v1/games/${game}/events/test`, { method: "POST", headers, body: JSON.stringify(sample()) });
    if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
    await loadRecent();
  } catch (error) { fail("recent", error.message); }
};

// The view of the tab Events: the newest events of a game, taken and refused.
export const events = (holder, context) => {
  holder.append($("events-view").content.cloneNode(true));
  ({ game } = context);
  const at = context.params();
  for (const name of FILTERS) $(`recent-${name}`).value = at.get(name) ?? "";
  show("recent", element("p", "Loading…", { class: "empty waiting" }));
  $("recent-filter").addEventListener("input", () => {
    context.put(Object.fromEntries(FILTERS.map((name) => [name, $(`recent-${name}`).value || null])));
    loadRecent();
  });
  $("recent-filter").addEventListener("submit", (event) => event.preventDefault());
  $("test-event").addEventListener("click", sendTestEvent);
  const timer = setInterval(() => { if (!document.hidden) loadRecent(); }, 3000);
  return { load: loadRecent, close: () => clearInterval(timer) };
};
