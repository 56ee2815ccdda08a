// The dashboard of a game: the saved questions that its producers chose, each asked on its own, on the days of the shell.

import { answers, costOf, DEFAULTS } from "./answers.js";
import { asking, change, get, RUNS, send } from "./asking.js";
import { button, element, option, resting, runs, save, scrolled } from "./dom.js";

// One question: its answer, or why there is none.
const tile = (one, mayCancel, catalogue, shell, pay) => {
  const section = element("section", null, { class: "panel wide tile" });
  const head = element("div", null, { class: "head" });
  const title = element("h2");
  const state = element("div", null, { class: "state", "aria-live": "polite" });
  const chart = element("div", null, { class: "chart" });
  const more = element("details", null, { class: "figures" });
  const note = element("p", null, { class: "note" });
  const base = `/v1/games/${encodeURIComponent(shell.game)}/questions/${encodeURIComponent(one.name)}/answer`;
  const address = (format) => {
    const { from, to } = shell.range();
    return `${base}?${new URLSearchParams({ from, to, format })}`;
  };
  const download = async () => {
    const answer = await send(address("csv")).catch(() => null);
    const { from, to } = shell.range();
    if (answer?.status === 200) save(await answer.blob(), `${shell.game}-${one.name}-${from}-${to}.csv`);
    else note.textContent = "The file cannot be made at the moment; try again.";
  };
  const csv = button("CSV", download, { class: "action csv", "aria-label": `Download CSV: ${one.title}` });
  const link = element("a", one.title, { "data-whole": "" });
  title.append(link);
  head.append(title, csv);
  section.append(head, state, chart, more, note);

  const say = (outcome, ...nodes) => {
    state.replaceChildren(...nodes);
    chart.replaceChildren();
    more.replaceChildren();
    chart.hidden = more.hidden = csv.hidden = outcome !== "full";
    note.textContent = "";
    section.toggleAttribute("aria-busy", false);
    if (outcome === "waiting") section.setAttribute("aria-busy", "true");
    section.dataset.state = outcome;
  };

  const render = (answer) => {
    if (!answer.rows.length) {
      say("empty", element("p", `No such events from ${answer.from} to ${answer.to}.`, { class: "empty" }));
      return;
    }
    say("full");
    const view = answers({ ...DEFAULTS[one.kind](), ...one.question }, catalogue);
    const figures = scrolled(view.figures(answer), `Figures of ${one.title}`);
    let told = "";
    more.hidden = !view.isDrawn;
    if (view.isDrawn) {
      told = view.draw(answer, chart);
      more.append(element("summary", "Table"), figures);
    } else chart.append(figures);
    note.textContent = told;
  };

  let newest = 0;
  const load = async () => {
    const mine = ++newest;
    const { from, to } = shell.range();
    link.href = `/explore?${new URLSearchParams({ game: shell.game, saved: one.name, from, to })}`;
    const waiting = element("p", "Reading the events…", { class: "waiting" });
    say("waiting", waiting);
    const found = await asking(address("json"), {}, () => mine === newest, (cancel) => {
      if (mayCancel) runs(waiting, RUNS, cancel); else waiting.textContent = RUNS;
    });
    if (!found || !section.isConnected) return;
    if (found.ok) { pay(found.body); render(found.body); return; }
    const details = (found.body.errors ?? []).map((error) => element("p", error.detail));
    const again = element("p", null, { class: "ways" });
    again.append(button("Try again", load));
    say("failed", ...(details.length ? details : [element("p", found.body.detail)]), again);
    if (found.isCancelled) again.querySelector("button").focus();
  };
  return { section, head, version: one.version, load, stop: () => { newest += 1; } };
};

export const dashboard = (holder, shell) => {
  const url = `/v1/games/${encodeURIComponent(shell.game)}`;
  const tools = element("section", null, { class: "full board", "aria-label": "Dashboard" });
  const told = element("p", null, { class: "note", role: "status" });
  const empty = element("p", null, { class: "empty" });
  const choosing = element("div", null, { class: "filters" });
  const tiles = new Map();
  let board = null;
  let catalogue = null;
  let saved = [];
  let isArranging = false;
  let closed = false;
  const tell = (text) => { told.textContent = text; };
  const paid = element("p", null, { class: "note cost" });
  holder.append(tools, paid);
  let costs = [];
  // What all answers together read and cost.
  const pay = (answer) => {
    costs.push(answer);
    const sum = (name) => costs.reduce((all, { cost }) => all + (cost[name] ?? 0), 0);
    const isPaid = costs.some(({ cost }) => cost.usd !== null);
    const written = costs.map((one) => one.updated_at).filter(Boolean).sort().at(-1);
    paid.textContent = costOf({
      cost: { scanned_bytes: sum("scanned_bytes"), usd: isPaid ? sum("usd") : null, kept: costs.every(({ cost }) => cost.kept) }, updated_at: written,
    });
  };
  const names = () => board.questions.map((one) => one.name);

  const choose = (wanted, done, mailed = board.mailed) => resting(holder, async () => {
    tell("Saving…");
    const chosen = { questions: wanted, mailed: mailed.filter((name) => wanted.includes(name)), version: board.version };
    const { ok, body, status, refused } = await change(`${url}/dashboard`, "PUT", chosen);
    if (closed) return;
    if (ok) board = body;
    else if (status === 409 || status === 422) board = await get(`${url}/dashboard`).catch(() => board);
    draw();
    tell(ok ? done : `Not changed: ${refused}`);
  });

  const move = (name, by) => {
    const wanted = names();
    const at = wanted.indexOf(name);
    wanted.splice(at, 1);
    wanted.splice(at + by, 0, name);
    return wanted;
  };

  // What a tile is moved and taken off with, while somebody arranges.
  const controls = (one, n) => {
    const made = element("p", null, { class: "ways" });
    const add = (text, label, act, isOff) => {
      const control = button(text, act, { "aria-label": label, ...(isOff && { disabled: "" }) });
      made.append(control);
    };
    const moved = async (by, label) => {
      await choose(move(one.name, by), `Moved: ${one.title}`);
      const { section } = tiles.get(one.name) ?? {};
      const [control] = [...(section?.querySelectorAll(".ways button") ?? [])].filter((found) => found.getAttribute("aria-label") === label && !found.disabled);
      (control ?? section?.querySelector("h2 a"))?.focus();
    };
    // A label begins with what is seen, so that people can say it.
    const [earlier, later] = [`Earlier: ${one.title}`, `Later: ${one.title}`];
    add("Earlier", earlier, () => moved(-1, earlier), n === 0);
    add("Later", later, () => moved(1, later), n === board.questions.length - 1);
    const isMailed = board.mailed.includes(one.name);
    if (one.may_be_mailed || isMailed) {
      add("Mail weekly", `Mail weekly: ${one.title}`, async () => {
        const rest = board.mailed.filter((name) => name !== one.name);
        await choose(names(), isMailed ? `Mailed no more: ${one.title}` : `Mailed weekly: ${one.title}`, isMailed ? rest : [...rest, one.name]);
        tiles.get(one.name)?.section.querySelector("[aria-pressed]")?.focus();
      });
      made.lastElementChild.setAttribute("aria-pressed", String(isMailed));
    } else made.append(element("span", "Not mailed: it tells single players or their words apart.", { class: "note" }));
    add("Take off", `Take off: ${one.title}`, async () => {
      await choose(names().filter((name) => name !== one.name), `Taken off: ${one.title}`);
      choosing.querySelector("select")?.focus();
    });
    return made;
  };

  const drawTools = () => {
    const free = saved.filter((one) => !names().includes(one.name));
    empty.hidden = board.questions.length > 0;
    empty.textContent = !board.may_change
      ? "Nothing is on the dashboard yet. Ask a producer of this game to put saved questions here."
      : saved.length ? "Nothing is on the dashboard yet. Add a saved question below: everybody who reads this game sees it here."
        : "Nothing is on the dashboard yet. Save a question in the tab Explore, then add it here.";
    choosing.hidden = !board.may_change;
    tools.hidden = !board.may_change && board.questions.length > 0;
    const label = element("label", "Add a saved question ", { class: "quiet" });
    const select = element("select", null, { id: "add-question" });
    select.replaceChildren(option("", free.length ? "choose" : "none is left"), ...free.map((one) => option(one.name, one.title)));
    select.disabled = !free.length;
    label.hidden = !saved.length;
    select.addEventListener("change", () => {
      const one = free.find(({ name }) => name === select.value);
      if (one) choose([...names(), one.name], `Added: ${one.title}`).then(() => choosing.querySelector("select").focus());
    });
    const arrange = button(isArranging ? "Done" : "Arrange", () => { isArranging = !isArranging; draw(); choosing.querySelector("button").focus(); }, {
      class: "action", "aria-pressed": String(isArranging), ...(!board.questions.length && { hidden: "" }),
    });
    label.append(select);
    choosing.replaceChildren(label, arrange, element("a", "Save questions in Explore", { href: `/explore${location.search}`, class: "quiet" }));
  };

  const draw = () => {
    drawTools();
    const versions = new Map(board.questions.map((one) => [one.name, one.version]));
    // A question that was replaced has a tile of its own: its answer is another one.
    for (const [name, one] of tiles) if (versions.get(name) !== one.version) { one.stop(); one.section.remove(); tiles.delete(name); }
    const fresh = [];
    board.questions.forEach((one, n) => {
      let made = tiles.get(one.name);
      if (!made) {
        made = tile(one, board.may_change, catalogue, shell, pay);
        tiles.set(one.name, made);
        fresh.push(made);
      }
      made.section.querySelector(":scope > .ways")?.remove();
      if (isArranging && board.may_change) made.head.after(controls(one, n));
      // A node that stays where it is keeps its focus.
      if (holder.children[n + 1] !== made.section) holder.insertBefore(made.section, holder.children[n + 1] ?? null);
    });
    return Promise.all(fresh.map((one) => one.load()));
  };

  const failed = (error) => {
    const again = element("p", null, { class: "ways" });
    again.append(button("Try again", () => shell.change({})));
    tools.replaceChildren(element("p", error.message), again);
  };

  return {
    load: async () => {
      costs = [];
      if (board) {
        const newest = await get(`${url}/dashboard`).catch(() => board);
        if (closed) return;
        board = newest;
        const known = new Set(tiles.values());
        const fresh = draw();
        await Promise.all([fresh, ...[...tiles.values()].filter((one) => known.has(one)).map((one) => one.load())]);
        return;
      }
      tools.replaceChildren(element("p", "Loading…", { class: "empty waiting" }));
      let found;
      try {
        found = await Promise.all([get(`${url}/dashboard`), get(`${url}/explore`), get(`${url}/questions`)]);
      } catch (error) {
        if (!closed) failed(error);
        return;
      }
      if (closed) return;
      [board, catalogue, { questions: saved }] = found;
      tools.replaceChildren(empty, choosing, told);
      await draw();
    },
    close: () => { closed = true; for (const one of tiles.values()) one.stop(); },
  };
};
