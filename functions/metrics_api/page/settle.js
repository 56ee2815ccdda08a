// A panel that asks again and again: it keeps its last figures, and drops an answer to an older question.

import { get } from "./asking.js";
import { $, element, show } from "./dom.js";

const asked = {};

// A panel keeps its last figures where a later answer fails, and says so.
export const fail = (id, message) => {
  const holder = $(id);
  if (!holder) return;
  const note = element("p", `Not up to date: ${message}`, { class: "failed" });
  holder.querySelector(".failed")?.remove();
  if (holder.querySelector(".waiting")) show(id, note); else holder.prepend(note);
};

export const settle = async (panels, path, render, refuse = (error) => panels.forEach((id) => fail(id, error.message))) => {
  asked[panels[0]] = path;
  const wanted = () => asked[panels[0]] === path && $(panels[0]);
  try {
    const answer = await get(path);
    if (wanted()) render(answer);
  } catch (error) {
    if (wanted()) refuse(error);
  }
};
