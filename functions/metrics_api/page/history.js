"use strict";

// The history of a game. The question is in the address, so that a link shows the same to whoever opens it.
{
  const DAYS = 28;
  // What a table shows at first: a table of money is told apart by currency, a cohort has a day number.
  const FIRST = {
    daily: { metric: "active_players" },
    revenue: { metric: "gross_minor", by: "currency" },
    retention: { metric: "retention", day_number: "1" },
    lifetime_value: { metric: "ltv_minor", by: "currency", day_number: "7" },
    economy: { metric: "amount", by: "currency,flow" },
    progression: { metric: "completion", by: "level_1" },
    stability: { metric: "crash_free_sessions" },
    performance: { metric: "p50", by: "measure" },
    performance_bins: { metric: "binned_samples", by: "bin", measure: "fps" },
    design: { metric: "design_events", by: "name", depth: "1" },
    ads: { metric: "impressions", by: "network" },
    tutorial: { metric: "reached_players", by: "step" },
    matches: { metric: "match_ends", by: "mode" },
    acquisition: { metric: "retention", by: "install_source", day_number: "1" },
    acquisition_value: { metric: "ltv_minor", by: "install_source,currency", day_number: "7" },
    total_revenue: { metric: "total_micros", by: "currency" },
  };
  let tables = [];
  let plot = null;
  let newest = 0;

  const asked = () => new URL(location.href).searchParams;
  const known = () => tables.find((one) => one.name === asked().get("table")) ?? tables[0];
  const chosen = () => known().metrics.find((one) => one.name === asked().get("metric")) ?? known().metrics[0];

  const titled = (name) => `${name[0].toUpperCase()}${name.slice(1).replaceAll("_", " ")}`;

  const change = (changes) => {
    const url = new URL(location.href);
    for (const [name, value] of Object.entries(changes)) {
      if (value) url.searchParams.set(name, value); else url.searchParams.delete(name);
    }
    history.replaceState(null, "", url);
  };

  const restart = (name) => {
    const kept = asked();
    const url = new URL(location.pathname, location.href);
    for (const part of ["game", "from", "to", "grain", "compare"]) if (kept.get(part)) url.searchParams.set(part, kept.get(part));
    for (const [part, value] of Object.entries({ table: name, ...FIRST[name] })) url.searchParams.set(part, value);
    history.replaceState(null, "", url);
  };

  // ARPDAU is often below a cent.
  const amount = (minor, currency) => {
    const digits = new Intl.NumberFormat(undefined, { style: "currency", currency }).resolvedOptions().maximumFractionDigits;
    const scale = 1e6 * 10 ** -digits;
    return Math.abs(minor) * scale < 1e6 && minor ? micros(minor * scale, currency, 4) : money(minor, currency);
  };

  const unit = (metric, currency) => (value) => {
    if (value === null || value === undefined) return "–";
    if (metric.unit === "share") return precise.format(value);
    if (metric.unit === "minor" && currency) return amount(value, currency);
    if (metric.unit === "micros" && currency) return micros(value, currency, Math.abs(value) < 1e6 && value ? 4 : 0);
    if (metric.unit === "micros") return plain.format(value * 1e-6);
    return plain.format(value);
  };

  // A name that a client sent as a currency may be none.
  const coin = (slices) => {
    const code = slices.currency ?? asked().get("currency");
    return /^[A-Z]{3}$/.test(code ?? "") ? code : "";
  };

  const fillForm = () => {
    const table = known();
    const at = asked();
    $("table").replaceChildren(...tables.map((one) => option(one.name, titled(one.name))));
    $("table").value = table.name;
    $("metric").replaceChildren(...table.metrics.map((one) => option(one.name, one.label)));
    $("metric").value = chosen().name;
    const columns = table.dimensions.map((one) => [one.name, one.label]);
    const pairs = at.get("by")?.includes(",") ? [[at.get("by"), at.get("by").split(",").join(" and ").replaceAll("_", " ")]] : [];
    $("by").replaceChildren(option("", "nothing"), ...[...columns, ...pairs].map(([name, label]) => option(name, label)));
    $("by").value = at.get("by") ?? "";
    // The batch run of the night writes yesterday.
    $("from").value = at.get("from") ?? ago(DAYS);
    $("to").value = at.get("to") ?? ago(1);
    $("grain").value = at.get("grain") ?? "day";
    $("compare").checked = at.get("compare") === "previous";
    $("filters").replaceChildren($("filters").querySelector("legend"), ...table.dimensions.map((one) => {
      const label = element("label", `${one.label} `);
      const input = element("input", null, { name: one.parameter, placeholder: "all", maxlength: "128", autocomplete: "off" });
      input.value = at.get(one.parameter) ?? "";
      input.addEventListener("change", () => { change({ [one.parameter]: input.value.trim() }); load(); });
      label.append(input);
      if (one.values) {
        const list = element("datalist", null, { id: `values-${one.name}` });
        list.append(...one.values.map((value) => option(value, value)));
        input.setAttribute("list", list.id);
        label.append(list);
      }
      return label;
    }));
    $("about").textContent = `${table.description} ${chosen().label}: ${chosen().description}`;
  };

  const question = (more = {}) => {
    const table = known();
    const found = new URLSearchParams({ from: $("from").value, to: $("to").value, grain: $("grain").value, ...more });
    for (const name of ["by", "compare", ...table.dimensions.map((one) => one.parameter)]) {
      if (asked().get(name)) found.set(name, asked().get(name));
    }
    return `/v1/games/${encodeURIComponent(asked().get("game"))}/history/${table.name}?${found}`;
  };

  const nameOf = (slices) => Object.values(slices).map((one) => one ?? "other").join(" · ");

  const state = (...nodes) => {
    $("state").replaceChildren(...nodes);
    $("history-chart").hidden = true;
    $("chart-note").textContent = "";
  };

  const again = () => {
    const button = element("button", "Try again", { type: "button" });
    button.addEventListener("click", load);
    return button;
  };

  // Buttons for what the API says to ask instead.
  const ways = (reason) => {
    const holder = element("p", null, { class: "ways" });
    const columns = [...reason.matchAll(/by=(\w+)/g)].map((found) => found[1]);
    const choices = [
      ...(reason.includes("grain=day") ? [["Show a row for each day", { grain: "day" }]] : []),
      ...(columns.length && columns.length < 3
        ? [[`Group by ${columns.join(" and ").replaceAll("_", " ")}`, { by: columns.join(",") }]] : []),
    ];
    for (const [text, changes] of choices) {
      const button = element("button", text, { type: "button" });
      button.addEventListener("click", () => { change(changes); load(); });
      holder.append(button);
    }
    return holder;
  };

  const unadded = (metric, reason) => {
    const columns = reason.slice(reason.indexOf("over ") + 5, reason.indexOf(":")).split(", ");
    const over = columns.map((name) => (name === known().day_column ? "days" : name.replaceAll("_", " "))).join(", ");
    return [element("p", `${metric.label} must not be added up over: ${over}.`), ways(reason)];
  };

  const draw = (answer, metric) => {
    const days = periods(answer.from, answer.to, answer.grain);
    const lines = new Map();
    for (const row of answer.rows) {
      const name = nameOf(row.slices);
      if (!lines.has(name)) lines.set(name, { currency: coin(row.slices), values: days.map(() => null) });
      lines.get(name).values[days.indexOf(row.from)] = row.figures[metric.name];
    }
    const size = ({ values }) => Math.max(...values.map((value) => Math.abs(value ?? 0)));
    // Amounts of two currencies have no common axis.
    const currencies = ["minor", "micros"].includes(metric.unit) ? [...new Set([...lines.values()].map((line) => line.currency))].sort() : [];
    const drawn = [...lines].filter(([, line]) => currencies.length < 2 || line.currency === currencies[0]);
    const shown = drawn.sort((a, b) => size(b[1]) - size(a[1])).slice(0, LINES.length);
    const series = shown.map(([name, line], n) => ({
      label: name || metric.label, stroke: color(LINES[n]), width: 2, points: { show: days.length < 63 },
      value: (_, value) => unit(metric, line.currency)(value),
    }));
    const data = [days.map((one) => Date.parse(one) / 1000), ...shown.map(([, line]) => line.values)];
    const isCompared = answer.previous && !answer.by.length;
    if (isCompared) {
      const before = periods(answer.previous.from, answer.previous.to, answer.grain);
      const values = days.map(() => null);
      for (const row of answer.previous.rows) {
        const place = before.indexOf(row.from);
        if (place < values.length) values[place] = row.figures[metric.name];
      }
      series.push({
        label: "Range before", stroke: color("--quiet"), width: 2, dash: [6, 4], points: { show: false },
        value: (_, value) => unit(metric, coin({}))(value),
      });
      data.push(values);
    }
    const format = unit(metric, currencies[0] ?? "");
    const holder = $("history-chart");
    holder.hidden = false;
    plot?.destroy();
    const axis = { stroke: color("--quiet"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line") } };
    plot = new uPlot({
      width: holder.clientWidth || 600, height: innerWidth < 700 ? 200 : 260, cursor: { y: false },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      scales: { y: { range: (_, least, most) => [Math.min(0, (least ?? 0) * 1.1), Math.max(metric.unit === "share" ? 0.01 : 1, (most ?? 0) * 1.1)] } },
      axes: [
        { ...axis, values: (_, splits) => splits.map((at) => new Date(at * 1000).toLocaleDateString(undefined, { day: "numeric", month: "short", timeZone: "UTC" })), space: 70 },
        { ...axis, size: 75, values: (_, values) => values.map(format) },
      ],
      series: [{ label: "Day", value: (_, at) => (at ? dated.format(new Date(at * 1000)) : "–") }, ...series],
    }, data, holder);
    holder.setAttribute("role", "img");
    holder.setAttribute("aria-label", `${metric.label} from ${answer.from} to ${answer.to}; the table below has every figure`);
    const notes = [];
    if (drawn.length > shown.length) notes.push(`The largest ${shown.length} of ${drawn.length} are drawn; the table has all.`);
    if (answer.previous && answer.by.length) notes.push("The range before is in the table.");
    const ends = [answer.rows[0], answer.rows.at(-1)];
    if (answer.grain !== "day" && ends.some((row) => periods(row.from, row.to, "day").length < (answer.grain === "week" ? 7 : 28))) {
      notes.push(`The first or the last ${answer.grain} is not whole.`);
    }
    if (currencies.length > 1) notes.push(`${currencies[0] || "No currency"} is drawn. Draw another one:`);
    $("chart-note").textContent = notes.join(" ");
    for (const code of currencies.slice(1)) {
      const button = element("button", code || "none", { type: "button" });
      button.addEventListener("click", () => { change({ currency: code }); load(); });
      $("chart-note").append(" ", button);
    }
  };

  const list = (answer, metric) => {
    const isAnswered = answer.metrics.some((one) => one.name === metric.name);
    const others = answer.metrics.filter((one) => one.name !== metric.name);
    const days = periods(answer.from, answer.to, answer.grain);
    const before = new Map();
    if (answer.previous) {
      const places = periods(answer.previous.from, answer.previous.to, answer.grain);
      for (const row of answer.previous.rows) before.set(`${places.indexOf(row.from)} ${nameOf(row.slices)}`, row.figures[metric.name]);
    }
    const earlier = (row) => before.get(`${days.indexOf(row.from)} ${nameOf(row.slices)}`) ?? null;
    const changed = (row) => {
      const now = row.figures[metric.name];
      const then = earlier(row);
      if (now === null || !then) return "–";
      const part = now / then - 1;
      return `${part > 0 ? "+" : ""}${precise.format(part)}`;
    };
    const figure = (one, kind = "n") => [one.unit === "seconds" ? `${one.label} (seconds)` : one.label, (row) => element("td", unit(one, coin(row.slices))(row.figures[one.name]), { class: kind }), true];
    show("figures", table("Figures", [
      [answer.grain === "day" ? "Day" : "Days", (row) => (row.from === row.to ? row.from : `${row.from} to ${row.to}`)],
      ...answer.by.map((name) => [known().dimensions.find((one) => one.name === name).label, (row) => row.slices[name] ?? "other"]),
      ...(isAnswered ? [figure(metric, "n chosen")] : []),
      ...(isAnswered && answer.previous ? [["Range before", (row) => unit(metric, coin(row.slices))(earlier(row)), true], ["Change", changed, true]] : []),
      ...others.map((one) => figure(one)),
    ], answer.rows));
    $("rows").hidden = false;
    $("csv").href = question({ format: "csv" });
    const { scanned_bytes: bytes, usd, kept } = answer.cost;
    const paid = usd === null ? "" : kept ? " The answer was kept, and cost nothing." : ` It scanned ${plain.format(bytes / 1e6)} MB and cost $${usd.toFixed(5)}.`;
    const written = answer.updated_at ? `Gold was written at ${answer.updated_at.slice(0, 16).replace("T", " ")} UTC. ` : "";
    $("cost").textContent = `${written}Days are UTC.${paid}`;
  };

  const render = (answer) => {
    const metric = chosen();
    const refused = answer.not_answered.find((one) => one.name === metric.name);
    if (!answer.rows.length) {
      $("rows").hidden = true;
      state(
        element("p", `Gold has no figures of this question from ${answer.from} to ${answer.to}.`),
        element("p", "The batch run writes gold once a day: choose earlier days, or remove what is under Only. On your machine, scripts/batch run writes it.", { class: "what" }),
      );
      return;
    }
    state();
    if (refused) {
      state(...unadded(metric, refused.reason), element("p", "The table below has the figures that do add up.", { class: "what" }));
    } else draw(answer, metric);
    list(answer, metric);
  };

  const refuse = (problem) => {
    $("rows").hidden = true;
    const errors = (problem.errors ?? []).map((error) => error.detail);
    const added = errors.find((detail) => detail.startsWith(`${chosen().name} must not be added up`));
    if (added) { state(...unadded(chosen(), added)); return; }
    const words = element("ul");
    for (const detail of errors) words.append(element("li", detail));
    state(element("p", problem.detail), words, again());
  };

  const load = async () => {
    fillForm();
    $("title").textContent = chosen().label;
    document.title = `${chosen().label} · history`;
    lead(asked().get("game") ?? "");
    const mine = ++newest;
    const path = question();
    const waiting = element("p", "Reading the history…", { class: "waiting-answer" });
    state(waiting);
    $("answer").setAttribute("aria-busy", "true");
    $("rows").hidden = true;
    const found = await asking(path, {}, () => mine === newest, () => {
      waiting.textContent = "The query still runs. The page asks again until it is done.";
    });
    // An answer to an older question is dropped.
    if (!found) return;
    $("answer").removeAttribute("aria-busy");
    if (found.ok) render(found.body); else refuse(found.body);
  };

  const begin = async (game) => {
    change({ game });
    try { ({ tables } = await get(`/v1/games/${encodeURIComponent(game)}/history`)); } catch (error) { notice(error.message); return; }
    notice("");
    if (!tables.some((one) => one.name === asked().get("table"))) restart(tables[0].name);
    await load();
  };

  const open = async () => {
    $("game").addEventListener("change", () => begin($("game").value));
    $("table").addEventListener("change", () => { restart($("table").value); load(); });
    for (const name of ["metric", "from", "to", "grain", "by"]) {
      $(name).addEventListener("change", () => { change({ [name]: $(name).value }); load(); });
    }
    $("compare").addEventListener("change", () => { change({ compare: $("compare").checked ? "previous" : "" }); load(); });
    $("ask").addEventListener("submit", (event) => event.preventDefault());
    addEventListener("resize", () => plot?.setSize({ width: $("history-chart").clientWidth, height: plot.height }));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", load);
    let games;
    try { ({ games } = await get("/v1/games")); } catch (error) { notice(error.message); return; }
    if (!games.length) { notice("No game is registered yet: scripts/games add <game_id> --name <title>"); return; }
    const wanted = asked().get("game");
    const isKnown = games.some((one) => one.game_id === wanted);
    $("game").replaceChildren(...games.map((one) => option(one.game_id, one.name)));
    $("game").value = isKnown ? wanted : games[0].game_id;
    await begin($("game").value);
    if (wanted && !isKnown) notice(`The game ${wanted} is not registered; another one is shown.`);
  };

  open();
}
