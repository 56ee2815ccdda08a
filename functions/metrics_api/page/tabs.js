// What each tab shows. A tab of the history is a declaration of tables, metrics and kinds of charts; panels.js draws it.

import { dashboard } from "./dashboard.js";
import { events } from "./events.js";
import { explore } from "./explore.js";
import { leaderboard, live } from "./live.js";
import { panels } from "./panels.js";
import { quality } from "./quality.js";
import { adSpend } from "./spend.js";
import { verdicts } from "./verdicts.js";

const history = (tab) => ({ controls: "all", ...tab, parts: [...(tab.before ?? []), panels(tab), ...(tab.after ?? [])] });

export const TABS = [
  { name: "live", title: "Live", path: "/", parts: [live] },
  history({
    name: "overview", title: "Overview",
    tables: ["daily", "revenue", "total_revenue", "acquisition", "acquisition_value"],
    choices: [{ column: "currency", table: "revenue" }],
    tiles: [
      { table: "daily", metric: "active_players", last: true },
      { table: "daily", metric: "new_players" },
      { table: "daily", metric: "sessions" },
      { table: "revenue", metric: "gross_minor", choose: ["currency"] },
      { table: "retention", metric: "retention", title: "Retention on day 1", fixed: { day_number: 1 } },
      { table: "stability", metric: "crash_free_sessions" },
    ],
    panels: [
      { title: "Active players", table: "daily", metrics: ["active_players"], chart: "lines", width: "wide", filled: "session_start" },
      { title: "Gross revenue", table: "revenue", metrics: ["gross_minor"], chart: "lines", choose: ["currency"], width: "wide", filled: "purchase" },
      { title: "New and returning players", table: "daily", metrics: ["new_players", "returning_players", "resurrected_players"], chart: "lines", width: "wide" },
      { title: "Stickiness", table: "daily", metrics: ["stickiness"], chart: "lines", width: "wide" },
      { title: "Sessions by platform", table: "daily", metrics: ["sessions"], chart: "bars", by: ["platform"] },
      { title: "Sessions by country", table: "daily", metrics: ["sessions"], chart: "bars", by: ["country"] },
      { title: "Sessions by version", table: "daily", metrics: ["sessions"], chart: "bars", by: ["app_version"] },
    ],
  }),
  history({
    name: "retention", title: "Retention",
    tables: ["retention", "acquisition", "daily"],
    tiles: [1, 3, 7, 14, 30].map((n) => ({ table: "retention", metric: "retention", title: `Day ${n}`, fixed: { day_number: n } })),
    panels: [
      { title: "Retention by day after install", table: "retention", metrics: ["retention"], chart: "curve", by: ["day_number"], fromOne: true, width: "wide", filled: "session_start" },
      { title: "Retention by install day", table: "retention", metrics: ["retention"], chart: "lines", by: ["day_number"], only: [1, 7, 30], label: (name) => `Day ${name}`, width: "wide" },
      { title: "Cohorts", table: "retention", metrics: ["retention", "cohort_players"], chart: "heat", by: ["day_number"], width: "full" },
      { title: "Day 1 by install source", table: "acquisition", metrics: ["retention", "cohort_players"], chart: "bars", by: ["install_source"], fixed: { day_number: 1 }, relative: true },
      { title: "Day 1 by campaign", table: "acquisition", metrics: ["retention", "cohort_players"], chart: "bars", by: ["campaign"], fixed: { day_number: 1 }, relative: true },
      { title: "Day 1 by platform", table: "retention", metrics: ["retention", "cohort_players"], chart: "bars", by: ["platform"], fixed: { day_number: 1 }, relative: true },
    ],
  }),
  history({
    name: "revenue", title: "Revenue",
    tables: ["revenue", "total_revenue", "lifetime_value", "ads", "acquisition_value"],
    choices: [{ column: "currency", table: "revenue" }],
    tiles: [
      { table: "revenue", metric: "gross_minor", choose: ["currency"] },
      { table: "revenue", metric: "net_minor", choose: ["currency"] },
      { table: "revenue", metric: "purchases", choose: ["currency"] },
      { table: "revenue", metric: "arpdau_minor", choose: ["currency"] },
      { table: "lifetime_value", metric: "ltv_minor", title: "Lifetime value by day 7", choose: ["currency"], fixed: { day_number: 7 } },
      { table: "total_revenue", metric: "ad_revenue_micros", choose: ["currency"] },
    ],
    panels: [
      { title: "Gross and net revenue", table: "revenue", metrics: ["gross_minor", "net_minor"], chart: "lines", choose: ["currency"], width: "wide", filled: "purchase" },
      { title: "Purchases and ads", table: "total_revenue", metrics: ["purchase_micros", "ad_revenue_micros"], chart: "lines", choose: ["currency"], width: "wide", filled: "purchase and ad_impression" },
      { title: "ARPDAU", table: "revenue", metrics: ["arpdau_minor", "net_arpdau_minor"], chart: "lines", choose: ["currency"], width: "wide" },
      { title: "Payers among active players", table: "daily", metrics: ["payer_conversion", "first_purchase_conversion"], chart: "lines", width: "wide" },
      { title: "Lifetime value", table: "lifetime_value", metrics: ["ltv_minor"], chart: "curve", by: ["day_number"], choose: ["currency"], width: "wide" },
      { title: "Net lifetime value", table: "lifetime_value", metrics: ["net_ltv_minor"], chart: "curve", by: ["day_number"], choose: ["currency"], width: "wide" },
      { title: "Refunds", table: "revenue", metrics: ["refunded_minor"], chart: "lines", choose: ["currency"], width: "wide", filled: "refund" },
      { title: "Gross revenue by country", table: "revenue", metrics: ["gross_minor", "arpdau_minor"], chart: "bars", by: ["country"], choose: ["currency"] },
      { title: "Gross revenue by platform", table: "revenue", metrics: ["gross_minor", "arpdau_minor"], chart: "bars", by: ["platform"], choose: ["currency"] },
      { title: "Ad impressions by network", table: "ads", metrics: ["impressions", "completed_share"], chart: "bars", by: ["network"], filled: "ad_impression" },
      { title: "Return on ad spend", table: "acquisition_value", draw: adSpend, width: "full" },
    ],
  }),
  history({
    name: "economy", title: "Economy & levels",
    tables: ["economy", "progression", "tutorial", "matches", "design"],
    choices: [{ column: "currency", table: "economy", label: "Virtual currency" }],
    panels: [
      { title: "Virtual currency given out and spent", table: "economy", metrics: ["amount"], chart: "lines", by: ["flow"], choose: ["currency"], width: "full", filled: "economy" },
      { title: "Where it comes from", table: "economy", metrics: ["amount", "economy_events"], chart: "bars", by: ["reason"], choose: ["currency"], fixed: { flow: "source" }, width: "wide", filled: "economy" },
      { title: "Where it goes", table: "economy", metrics: ["amount", "economy_events"], chart: "bars", by: ["reason"], choose: ["currency"], fixed: { flow: "sink" }, width: "wide", filled: "economy" },
      { title: "Completion of levels", table: "progression", metrics: ["completion", "starts", "fails"], chart: "bars", by: ["level_1", "level_2"], sort: "name", width: "wide", filled: "progression" },
      { title: "Starts and completions", table: "progression", metrics: ["starts", "completes", "fails"], chart: "lines", width: "wide", filled: "progression" },
      { title: "Tutorial", table: "tutorial", metrics: ["reached_players", "step_completion"], chart: "bars", by: ["step"], sort: "name", filled: "tutorial" },
      { title: "Matches by mode", table: "matches", metrics: ["match_ends", "win_share", "abandon_share"], chart: "bars", by: ["mode"], filled: "match_start and match_end" },
      { title: "Design events", table: "design", metrics: ["design_events", "value_mean"], chart: "bars", by: ["name"], fixed: { depth: 1 }, filled: "design" },
    ],
  }),
  history({
    name: "stability", title: "Stability",
    tables: ["stability", "performance", "performance_bins"],
    choices: [{ column: "measure", table: "performance" }],
    tiles: [
      { table: "stability", metric: "crash_free_sessions" },
      { table: "stability", metric: "crash_free_players" },
      { table: "stability", metric: "crashes" },
      { table: "stability", metric: "nonfatal_crashes" },
    ],
    panels: [
      { title: "Sessions and players without a fatal crash", table: "stability", metrics: ["crash_free_sessions", "crash_free_players"], chart: "lines", width: "wide", filled: "session_start and crash" },
      { title: "Crashes", table: "stability", metrics: ["crashes", "nonfatal_crashes"], chart: "lines", width: "wide", filled: "crash" },
      { title: "Crashes by version", table: "stability", metrics: ["crashes", "crash_free_sessions"], chart: "bars", by: ["app_version"], width: "wide" },
      { title: "Crashes by platform", table: "stability", metrics: ["crashes", "crash_free_sessions"], chart: "bars", by: ["platform"], width: "wide" },
      { title: "Performance", table: "performance", metrics: ["p5", "p50", "p95"], chart: "lines", choose: ["measure"], width: "full", filled: "performance" },
    ],
  }),
  { name: "dashboard", title: "Dashboard", controls: "days", parts: [dashboard] },
  { name: "explore", title: "Explore", controls: "days", parts: [explore(["events", "funnel", "retention", "paths", "cohort"])] },
  history({
    name: "experiments", title: "Experiments",
    tables: ["experiments", "experiment_revenue"],
    choices: [{ column: "experiment", table: "experiments", fixed: { day_number: 0 } }, { column: "currency", table: "experiment_revenue", beside: "experiment", fixed: { day_number: 0 } }],
    panels: [
      { title: "Verdicts", table: "experiments", draw: verdicts, width: "full", filled: "experiment_exposure" },
      { title: "Retention after the exposure", table: "experiments", metrics: ["exposed_retention"], chart: "curve", by: ["day_number", "variant"], choose: ["experiment"], fromOne: true, width: "wide", filled: "experiment_exposure" },
      { title: "Payers among exposed players", table: "experiments", metrics: ["exposed_conversion"], chart: "curve", by: ["day_number", "variant"], choose: ["experiment"], width: "wide" },
      { title: "Exposed players", table: "experiments", metrics: ["exposed_players"], chart: "bars", by: ["variant"], choose: ["experiment"], fixed: { day_number: 0 } },
      { title: "Sessions by day 1", table: "experiments", metrics: ["exposed_sessions_mean", "exposed_players"], chart: "bars", by: ["variant"], choose: ["experiment"], fixed: { day_number: 1 } },
      { title: "Net revenue by day 7", table: "experiment_revenue", metrics: ["exposed_net_mean_minor", "exposed_players"], chart: "bars", by: ["variant"], choose: ["experiment", "currency"], fixed: { day_number: 7 } },
    ],
  }),
  history({
    name: "players", title: "Players",
    tables: ["daily", "acquisition"],
    before: [explore(["player"])],
    after: [leaderboard],
    panels: [
      { title: "New, returning and resurrected players", table: "daily", metrics: ["new_players", "returning_players", "resurrected_players"], chart: "lines", width: "wide", filled: "session_start" },
      { title: "Dormant players", table: "daily", metrics: ["dormant_players"], chart: "lines", width: "wide" },
      { title: "Players of 1, 7 and 30 days", table: "daily", metrics: ["active_players", "weekly_active_players", "monthly_active_players"], chart: "lines", width: "wide" },
      { title: "Session length", table: "daily", metrics: ["session_seconds_mean", "session_seconds_median"], chart: "lines", width: "wide" },
    ],
  }),
  { name: "events", title: "Events", parts: [events] },
  { name: "quality", title: "Quality", parts: [quality] },
].map((tab) => ({ path: `/${tab.name}`, ...tab }));
