"use strict";

// What the pages of the history and of explore share: days, colors of lines, and asking until there is an answer.

const LINES = ["--accent", "--second", "--line-3", "--line-4", "--line-5", "--line-6"];
const ASK_AGAIN_MS = 1000;
const plain = new Intl.NumberFormat(undefined, { maximumFractionDigits: 2 });
const dated = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeZone: "UTC" });

const iso = (time) => new Date(time).toISOString().slice(0, 10);
const ago = (days) => iso(Date.now() - days * 86400000);
const option = (value, text) => element("option", text, { value });
const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// The periods of a range by their first day, so that a period is compared with the one in the same place.
const periods = (from, to, grain) => {
  const found = [];
  for (let at = Date.parse(from); at <= Date.parse(to);) {
    found.push(iso(at));
    const day = new Date(at);
    const weekday = (day.getUTCDay() + 6) % 7;
    if (grain === "month") at = Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + 1, 1);
    else at += 86400000 * (grain === "week" ? 7 - weekday : 1);
  }
  return found;
};

// The links to the other pages show the same game.
const lead = (game) => {
  for (const link of document.querySelectorAll(".pages a[data-page]")) {
    link.href = `${link.dataset.page}?game=${encodeURIComponent(game)}`;
  }
};

lead(new URL(location.href).searchParams.get("game") ?? "");

// Return the body of an answer and whether it is one; nothing where another question was asked meanwhile.
const asking = async (path, options, isNewest, waits) => {
  for (;;) {
    let answer;
    let body;
    try {
      answer = await fetch(path, { ...options, headers: { accept: "application/json", ...options.headers } });
      body = await answer.json();
    } catch {
      answer = null;
      body = { detail: "The API does not answer. Look whether it runs and whether you are connected." };
    }
    if (!isNewest()) return null;
    if (answer?.status !== 202) return { ok: Boolean(answer?.ok), body };
    waits();
    await new Promise((resume) => { setTimeout(resume, ASK_AGAIN_MS); });
    if (!isNewest()) return null;
  }
};
