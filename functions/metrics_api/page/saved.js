// The saved questions of a game: a list to open them from, and a form that saves the question that is shown.

import { change, get } from "./asking.js";
import { $, button, element, resting } from "./dom.js";

// A title has any letters, the name in the address only these.
const slug = (title) => title.toLowerCase().normalize("NFKD").replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-+|-+$/g, "").slice(0, 50).replace(/-$/, "") || "question";

// Where a view has no saved questions.
export const NONE = { load: () => {}, isReader: () => false, isShown: () => false, draw: () => {} };

// `current` returns the document that is shown; `open` shows what the address says.
export const saved = (shell, current, open) => {
  let list = null;
  const url = (name) => `/v1/games/${encodeURIComponent(shell.game)}/questions${name ? `/${encodeURIComponent(name)}` : ""}`;
  const name = () => shell.params().get("saved");
  const entry = () => list?.questions.find((one) => one.name === name());
  const tell = (text) => { if ($("saved-note")) $("saved-note").textContent = text; };

  const item = (one) => {
    const made = element("li");
    const link = element("a", one.title, {
      href: `/explore?${new URLSearchParams({ game: shell.game, saved: one.name })}`, ...(one.name === name() && { "aria-current": "true" }),
    });
    link.addEventListener("click", (event) => {
      if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
      event.preventDefault();
      shell.put({ saved: one.name, q: null });
      open();
    });
    made.append(link);
    if (one.may_change) made.append(button("Delete", () => remove(one), { class: "action", "aria-label": `Delete ${one.title}` }));
    return made;
  };

  const draw = () => {
    if (!$("saved")) return;
    $("saved").hidden = false;
    const { questions = [], may_save: maySave = false } = list ?? {};
    $("saved-list").replaceChildren(...questions.map(item));
    $("saved-empty").hidden = !list || questions.length > 0;
    $("saved-empty").textContent = maySave
      ? "No question is saved yet. Ask one below, give it a title, and save it for everybody who reads this game."
      : "No question is saved yet. Ask a producer of this game to save one here.";
    $("save").hidden = !maySave;
    $("save-changes").hidden = !entry()?.may_change;
  };

  const load = async () => {
    try {
      list = await get(url());
      tell("");
    } catch (error) {
      list = null;
      tell(`The saved questions cannot be read: ${error.message}`);
    }
    draw();
  };

  const put = (target, title, version) => resting($("saved"), async () => {
    tell("Saving…");
    const { ok, refused } = await change(url(target), "PUT", { title, question: current(), version });
    if (!ok) { tell(`Not saved: ${refused}`); return; }
    shell.put({ saved: target, q: null });
    await load();
    tell(`Saved: ${title}`);
    open();
  });

  const title = () => $("save-title").value.trim();

  const add = () => {
    const taken = new Set(list.questions.map((one) => one.name));
    const base = slug(title());
    let free = base;
    for (let number = 2; taken.has(free); number += 1) free = `${base}-${number}`;
    return put(free, title(), 0);
  };

  const remove = async (one) => {
    if (!confirm(`Delete "${one.title}" for everybody who reads this game?`)) return;
    await resting($("saved"), async () => {
      const { ok, refused } = await change(url(one.name), "DELETE");
      if (!ok) { tell(`Not deleted: ${refused}`); return; }
      if (one.name === name()) shell.put({ saved: null });
      await load();
      tell(`Deleted: ${one.title}`);
    });
  };

  $("save").addEventListener("submit", (event) => { event.preventDefault(); if (title()) add(); });
  $("save-changes").addEventListener("click", () => put(name(), title() || entry().title, entry().version));

  return {
    draw, load, name,
    isReader: () => list?.may_save === false,
    // Whether the answer is that of the saved question, and not of a change of it.
    isShown: () => Boolean(entry()) && !shell.params().get("q"),
    title: () => entry()?.title,
    document: async () => {
      try {
        const { title: shown, question } = await get(url(name()));
        $("save-title").value = shown;
        return question;
      } catch (error) {
        tell(error.message);
        shell.put({ saved: null });
        throw error;
      }
    },
    answer: ({ from, to }, format) => `${url(name())}/answer?${new URLSearchParams({ from, to, format })}`,
  };
};
