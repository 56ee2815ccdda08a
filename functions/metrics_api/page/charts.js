// Lines over time or over the days of a cohort, by uPlot, with what happened on a day as marks.

import { color, dated, LINES } from "./dom.js";

const drawn = new Map();

const mark = (marks) => ({
  hooks: {
    draw: [({ ctx, bbox, valToPos }) => {
      const ratio = devicePixelRatio;
      let free = -Infinity;
      ctx.save();
      ctx.textAlign = "left";
      ctx.textBaseline = "alphabetic";
      ctx.font = `${11 * ratio}px system-ui, sans-serif`;
      for (const { at, short, kind } of marks()) {
        const x = valToPos(at, "x", true);
        if (x < bbox.left || x > bbox.left + bbox.width) continue;
        ctx.strokeStyle = ctx.fillStyle = color({ finding: "--bad", note: "--accent" }[kind] ?? "--quiet");
        ctx.setLineDash([3 * ratio, 3 * ratio]);
        ctx.beginPath();
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
        ctx.stroke();
        const width = ctx.measureText(short).width;
        const begin = Math.min(x + 4 * ratio, bbox.left + bbox.width - width);
        if (begin < free) continue;
        ctx.fillText(short, begin, bbox.top + 10 * ratio);
        free = begin + width + 8 * ratio;
      }
      ctx.restore();
    }],
  },
});

// Steps of an axis: days are whole, and a week is easier to read than ten days.
const WHOLE = [1, 2, 7, 14, 28, 91, 364];

const height = (holder) => Number(holder.dataset.height) || (innerWidth < 700 ? 200 : 240);

// Draw lines: [{ label, values, format, dash, fill }] over x, which are seconds, or numbers where `count` names them.
export const lines = (holder, x, series, { format, most = 1, marks = () => [], label, count, local = false }) => {
  drawn.get(holder)?.destroy();
  const axis = { stroke: color("--quiet"), grid: { stroke: color("--line"), width: 1 }, ticks: { stroke: color("--line"), size: 4 } };
  const day = (at) => new Date(at * 1000).toLocaleDateString(undefined, { day: "numeric", month: "short", timeZone: "UTC" });
  const shown = count ? (value) => String(value) : day;
  const across = local ? { ...axis, size: 44 } : { ...axis, values: (_, splits) => splits.map(shown), space: 70, size: 30, incrs: count ? WHOLE : WHOLE.map((n) => n * 86400) };
  const named = count ? (at) => at ?? "–" : (at) => (at ? dated.format(new Date(at * 1000)) : "–");
  const plot = new uPlot({
    width: holder.clientWidth || 600, height: height(holder), cursor: { y: false }, plugins: [mark(marks)],
    ...(!local && !count && { tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC") }),
    scales: {
      ...(count && { x: { time: false } }),
      y: { range: (_, least, top) => [Math.min(0, (least ?? 0) * 1.1), Math.max(most, (top ?? 0) * 1.1)] },
    },
    axes: [across, { ...axis, size: 64, values: (_, values) => values.map(format) }],
    series: [
      local ? {} : { label: count ?? "Day", value: (_, at) => named(at) },
      ...series.map((one, n) => {
        const stroke = color(one.dash ? "--quiet" : LINES[n % LINES.length]);
        return {
          label: one.label, stroke, width: 2, ...(one.dash && { dash: [6, 4] }), ...(one.fill && { fill: `${stroke}1f` }),
          points: { show: !one.dash && !local && x.length < 45, size: 5 }, value: (_, value) => (one.format ?? format)(value),
        };
      }),
    ],
  }, [x, ...series.map((one) => one.values)], holder);
  drawn.set(holder, plot);
  holder.setAttribute("role", "img");
  holder.setAttribute("aria-label", label);
  return plot;
};

// Marks may come after the lines.
export const redraw = () => { for (const [holder, plot] of drawn) if (holder.isConnected) plot.redraw(); };

addEventListener("resize", () => {
  for (const [holder, plot] of drawn) {
    if (holder.isConnected) plot.setSize({ width: holder.clientWidth, height: height(holder) });
    else { plot.destroy(); drawn.delete(holder); }
  }
});
