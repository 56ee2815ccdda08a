// What producers say happened on a day: it is marked in the charts beside releases and findings.

import { change, get } from "./asking.js";
import { $, button, element, resting } from "./dom.js";

const SHORT = 14;

// `redraw` shows the marks anew.
export const annotations = (redraw) => {
  let game = "";
  let found = null;
  const url = () => `/v1/games/${encodeURIComponent(game)}/annotations`;
  const tell = (text) => { $("annotate-note").textContent = text; };

  const write = (wanted, done) => resting($("marks"), async () => {
    tell("Saving…");
    const asked = game;
    const { ok, body, status, refused } = await change(url(), "PUT", { annotations: wanted, version: found.version });
    if (asked !== game) return;
    if (ok) found = body;
    else if (status === 409) found = await get(url()).catch(() => found);
    tell(ok ? done : `Not changed: ${refused}`);
    await redraw();
    return ok;
  });

  $("annotate").addEventListener("submit", async (event) => {
    event.preventDefault();
    const [day, text] = [$("annotate-day").value, $("annotate-text").value.trim()];
    if (!day || !text) return;
    if (await write([...found.annotations, { date: day, text }], `Marked: ${text}`)) $("annotate-text").value = "";
  });

  return {
    load: async (wanted) => {
      // Another game's annotations must not be written into this one.
      if (wanted !== game) { found = null; $("annotate").hidden = true; }
      game = wanted;
      tell("");
      const answer = await get(url()).catch(() => null);
      if (wanted !== game) return;
      found = answer;
      $("annotate").hidden = !found?.may_change;
    },
    mayChange: () => Boolean(found?.may_change),
    marks: ({ from, to }) => (found?.annotations ?? []).filter(({ date }) => date >= from && date <= to)
      .map((one) => ({ day: one.date, short: one.text.length > SHORT ? `${one.text.slice(0, SHORT - 1)}…` : one.text, text: one.text, kind: "note", one })),
    // What takes a mark away, for who may.
    remover: ({ one }) => (one && found?.may_change ? [button("Remove", () => {
      $("marks").querySelector("summary").focus();
      return write(found.annotations.filter((other) => other !== one), `Removed: ${one.text}`);
    }, { class: "action", "aria-label": `Remove ${one.text}` })] : []),
    words: (mark) => element("span", `${mark.day}: ${mark.text}`),
  };
};
