// Whether the data can be trusted: what needs somebody comes first, the rest is folded.

import { $, bar, element, empty, number, precise, scrolled, show, table, utc } from "./dom.js";
import { settle } from "./settle.js";

const VERDICTS = { pass: "✓ pass", warn: "△ warn", fail: "✕ fail", unknown: "? unknown" };
const HOURS = 24 * 7;
const REFRESH_MS = 15000;

const titled = (name) => `${name[0].toUpperCase()}${name.slice(1).replaceAll("_", " ")}`;
const verdict = (name) => element("span", VERDICTS[name], { class: `verdict ${name}` });

// Since when each of the newest hours has the same verdict.
const since = (check, hours) => {
  const field = check.verdict === "fail" ? "failed" : "warned";
  let at = null;
  for (const hour of hours) {
    if (!hour[field].includes(check.name)) break;
    at = hour.checked_at;
  }
  return at;
};

const folded = (id, title, checks, isOpen) => {
  const details = element("details", null, { id, ...(isOpen && { open: "" }) });
  details.append(element("summary", title), scrolled(table(title, [
    ["Check", (one) => titled(one.name)], ["Verdict", (one) => verdict(one.verdict)], ["Found", (one) => one.message],
  ], checks), title));
  return details;
};

const renderQuality = ({ checks, checked_at: at, hours }) => {
  if (!checks.length) {
    show("quality", empty("Not judged yet: the checks run each hour. On your machine, scripts/quality runs them."));
    show("quality-hours", empty("No check has run in the last 7 days."));
    return;
  }
  const needs = ["fail", "warn"].flatMap((name) => checks.filter((one) => one.verdict === name));
  const passed = checks.filter((one) => one.verdict === "pass");
  const unknown = checks.filter((one) => one.verdict === "unknown");
  const both = document.createDocumentFragment();
  both.append(element("p", needs.length
    ? `${needs.length} of ${checks.length} checks need somebody. Judged at ${utc(at)}.`
    : `Nothing needs you: ${passed.length} checks passed. Judged at ${utc(at)}.`, { class: needs.length ? "verdict-line" : "verdict-line good" }));
  const list = element("ul", null, { class: "findings" });
  for (const one of needs) {
    const item = element("li", null, { class: one.verdict });
    const from = since(one, hours);
    const head = element("p");
    head.append(verdict(one.verdict), " ", element("strong", titled(one.name)));
    item.append(head, element("p", one.message));
    if (from && from !== at) item.append(element("p", `Since ${utc(from)}.`, { class: "note" }));
    list.append(item);
  }
  if (needs.length) both.append(list, element("p", "docs/runbooks/data-quality.md says for each check when it fails and what to do.", { class: "note" }));
  const before = [...$("quality").querySelectorAll("details[open]")].map((one) => one.id);
  if (unknown.length) both.append(folded("quality-unknown", `${number.format(unknown.length)} could not be judged`, unknown, before.includes("quality-unknown")));
  if (passed.length) both.append(folded("quality-passed", `${number.format(passed.length)} passed`, passed, before.includes("quality-passed")));
  show("quality", both);
  const counted = new Map();
  for (const hour of hours) {
    for (const [field, names] of [["failed", hour.failed], ["warned", hour.warned]]) {
      for (const name of names) {
        if (!counted.has(name)) counted.set(name, { name, failed: 0, warned: 0, at: hour.checked_at });
        counted.get(name)[field] += 1;
      }
    }
  }
  const found = [...counted.values()].sort((a, b) => b.failed - a.failed || b.warned - a.warned);
  show("quality-hours", found.length
    ? scrolled(table("Checks of the last 7 days", [
      ["Check", (one) => titled(one.name)], ["Hours failed", (one) => number.format(one.failed), true],
      ["Hours warned", (one) => number.format(one.warned), true], ["Last", (one) => utc(one.at)],
    ], found), "Checks of the last 7 days")
    : empty(`No check failed or warned in ${number.format(hours.length)} runs.`));
};

const renderRejects = (ingestion) => {
  const reasons = Object.entries(ingestion.rejected).sort((a, b) => b[1] - a[1]);
  if (!ingestion.total) { show("rejects", empty("Nothing arrived today (UTC).")); return; }
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

// The view of the tab Quality.
export const quality = (holder, { game }) => {
  for (const [id, title, kind] of [["quality", "Data quality", "full"], ["quality-hours", "Last 7 days", "wide"], ["rejects", "Rejected today", "wide"]]) {
    const section = element("section", null, { class: kind });
    section.append(element("h2", title), element("div", null, { id }));
    holder.append(section);
    show(id, element("p", "Loading…", { class: "empty waiting" }));
  }
  const day = () => new Date().toISOString().slice(0, 10);
  const load = () => Promise.all([
    settle(["quality", "quality-hours"], `/v1/games/${game}/quality?hours=${HOURS}`, renderQuality),
    settle(["rejects"], `/v1/games/${game}/ingestion?from=${day()}&to=${day()}`, renderRejects),
  ]);
  const timer = setInterval(() => { if (!document.hidden) load(); }, REFRESH_MS);
  return { load, close: () => clearInterval(timer) };
};
