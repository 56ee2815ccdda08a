// Elements, figures and times: what every view is made of.

export const $ = (id) => document.getElementById(id);
export const number = new Intl.NumberFormat();
export const plain = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
export const share = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 0 });
export const precise = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });
export const signed = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1, signDisplay: "exceptZero" });
export const points = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1, signDisplay: "exceptZero" });
export const dated = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });
export const LINES = ["--accent", "--second", "--line-3", "--line-4", "--line-5", "--line-6"];

// Times of the live figures are local, days of the history are UTC: each time says its zone.
export const zone = new Intl.DateTimeFormat(undefined, { timeZoneName: "short" })
  .formatToParts(new Date()).find((part) => part.type === "timeZoneName").value;
export const clock = (time, options = { hour: "2-digit", minute: "2-digit" }) => new Date(time).toLocaleTimeString([], options);
export const utc = (time) => `${time.slice(0, 16).replace("T", " ")} UTC`;

export const micros = (amount, currency, digits) => new Intl.NumberFormat(undefined,
  { style: "currency", currency, ...(digits && { maximumFractionDigits: digits }) }).format(amount * 1e-6);
export const byCurrency = (amounts, digits) => Object.entries(amounts).sort()
  .map(([currency, amount]) => micros(amount, currency, digits)).join(" · ") || "–";

export const money = (minor, currency) => {
  const format = new Intl.NumberFormat(undefined, { style: "currency", currency });
  return format.format(minor / 10 ** format.resolvedOptions().maximumFractionDigits);
};

// ARPDAU is often below a cent.
const amount = (minor, currency) => {
  const digits = new Intl.NumberFormat(undefined, { style: "currency", currency }).resolvedOptions().maximumFractionDigits;
  const scale = 1e6 * 10 ** -digits;
  return Math.abs(minor) * scale < 1e6 && minor ? micros(minor * scale, currency, 4) : money(minor, currency);
};

// How a figure of a unit is written. A name that a client sent as a currency may be none.
export const unit = (name, code) => (value) => {
  const currency = /^[A-Z]{3}$/.test(code ?? "") ? code : "";
  if (value === null || value === undefined) return "–";
  if (name === "share") return precise.format(value);
  if (name === "minor" && currency) return amount(value, currency);
  if (name === "micros" && currency) return micros(value, currency, Math.abs(value) < 1e6 && value ? 4 : 0);
  if (name === "micros") return plain.format(value * 1e-6);
  return plain.format(value);
};

export const element = (tag, text, attributes = {}) => {
  const made = document.createElement(tag);
  if (text !== undefined && text !== null) made.textContent = text;
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
};

export const option = (value, text) => element("option", text, { value });

export const button = (text, act, attributes = {}) => {
  const made = element("button", text, { type: "button", ...attributes });
  made.addEventListener("click", act);
  return made;
};

// Let the controls of a part rest until a change is written: a second change would be about what was there before.
export const resting = async (holder, work) => {
  const focused = document.activeElement;
  const controls = [...holder.querySelectorAll("button:enabled, select:enabled")];
  for (const one of controls) one.disabled = true;
  try { return await work(); } finally {
    for (const one of controls) one.disabled = false;
    if (controls.includes(focused) && document.activeElement === document.body) focused.focus();
  }
};

// What stands in the place of an answer that goes on, with what cancels it. It is drawn once: it may have the focus.
export const runs = (holder, text, cancel) => {
  if (holder.querySelector("button")) return;
  holder.textContent = text;
  holder.append(button("Cancel", ({ target }) => { target.disabled = true; target.textContent = "Cancelling…"; cancel(); }, { class: "action" }));
};

export const bar = (part, kind = "") => {
  const outer = element("span", null, { class: `bar ${kind}`, "aria-hidden": "true" });
  const inner = element("i");
  inner.style.setProperty("--share", Math.max(0, Math.min(1, part || 0)));
  outer.append(inner);
  return outer;
};

export const empty = (text) => element("p", text, { class: "empty" });

// What a panel without figures says: why it is empty, which events fill it, and where the first one is explained.
export const lacking = (text, ...types) => {
  const both = document.createDocumentFragment();
  const hint = element("p", `Filled by ${types.join(", ")} events. `, { class: "note" });
  hint.append(element("a", "Send one", { href: `/events${location.search}` }));
  both.append(empty(text), hint);
  return both;
};

// Columns: [title, cell(row), is a number?]; a cell is text or an element.
export const table = (caption, columns, rows, kind = "") => {
  const made = element("table", null, { class: kind, "aria-label": caption });
  const head = element("tr");
  for (const [title, , numeric] of columns) {
    const tag = title ? "th" : "td";
    head.append(element(tag, title, { ...(title && { scope: "col" }), class: numeric ? "n" : "" }));
  }
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

export const show = (id, node) => $(id)?.replaceChildren(node);

// Wide content scrolls in its own frame, which the keyboard can reach.
export const scrolled = (node, label) => {
  const frame = element("div", null, { class: "scroll", tabindex: "0", role: "region", "aria-label": label });
  frame.append(node);
  return frame;
};

export const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export const iso = (time) => new Date(time).toISOString().slice(0, 10);
export const DAY = 86400000;
export const ago = (days) => iso(Date.now() - days * DAY);

// The periods of a range by their first day, so that a period is compared with the one in the same place.
export const periods = (from, to, grain) => {
  if (grain === "range") return [from];
  const found = [];
  for (let at = Date.parse(from); at <= Date.parse(to);) {
    found.push(iso(at));
    const day = new Date(at);
    const weekday = (day.getUTCDay() + 6) % 7;
    if (grain === "month") at = Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1, 1);
    else at += DAY * (grain === "week" ? 7 - weekday : 1);
  }
  return found;
};

export const save = (blob, name) => {
  const address = URL.createObjectURL(blob);
  element("a", null, { href: address, download: name }).click();
  URL.revokeObjectURL(address);
};

// A spreadsheet must not run what a client sent: text that begins like a formula becomes plain text.
const cell = (text) => {
  const safe = /^[=+\-@\t\r]/.test(text) && !/^[+-]?[\d.,]+%?$/.test(text) ? `'${text}` : text;
  return `"${safe.replaceAll('"', '""')}"`;
};

// Tables of figures: uPlot writes its legend as a table too.
export const TABLES = "table:not(.u-legend)";

// The tables of a section as they are shown. The history has exact figures: the API writes their file.
export const saveTables = (section, name) => {
  const lines = [];
  for (const one of section.querySelectorAll(TABLES)) {
    if (lines.length) lines.push("");
    for (const row of one.rows) lines.push([...row.cells].map((td) => cell(td.innerText.trim())).join(","));
  }
  save(new Blob([lines.join("\r\n")], { type: "text/csv;charset=utf-8" }), `${name}.csv`);
};
