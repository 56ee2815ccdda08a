import { byteLength, type Settings } from "./settings.js";
import { described } from "./validation.js";

const LONGEST_RETRY_AFTER = 86_400;
// The platform itself repairs a clock that is less than 5 minutes off; a Date header counts whole seconds.
const CLOCK_TOLERANCE_MS = 60_000;
const SENT_AT = ',"sent_at":';
// Browsers let requests of a page that closes hold 64 KiB together.
const KEEPALIVE_BYTES = 60_000;

/**
 * What to do with the events of a request, by their place in it.
 *
 * `retry` are sent again with the same event_id, after `retryAfter` seconds at least. `isTooMuch`: the request as a
 * whole was refused for what it holds, so that fewer events may pass.
 */
export interface Answer {
  accepted: number;
  rejected: Map<number, string>;
  retry: number[];
  retryAfter: number;
  problem: string;
  isTooMuch: boolean;
  isClockWrong: boolean;
}

/** Returns seconds until the next attempt: Retry-After, and a random time that grows (full jitter). */
export function retryDelay(attempt: number, retryAfter: number, settings: Settings): number {
  const most = Math.min(settings.longestRetrySeconds, settings.firstRetrySeconds * 2 ** Math.min(attempt, 30));
  return retryAfter + Math.random() * most;
}

/** Posts batches with a game's key; learns how far this machine's clock is off. */
export class Transport {
  /** Milliseconds to add to this machine's time, 0 where it is near enough. */
  clockError = 0;
  private readonly url: string;

  /** `url` is the REST API without a path, `key` is "<game_id>.<secret>". */
  constructor(
    url: string,
    private readonly key: string,
    private readonly settings: Settings,
  ) {
    this.url = `${url.replace(/\/+$/, "")}/v1/events`;
  }

  /** Sends stored events once. Never throws: what went wrong is part of the answer. */
  async send(lines: string[], isLastChance: boolean): Promise<Answer> {
    try {
      const text = lines.map((line) => this.stamped(line)).join("");
      // Compression takes a moment that a page does not have when it closes.
      const body = isLastChance || typeof CompressionStream === "undefined" ? text : await gzip(text);
      const response = await fetch(this.url, {
        method: "POST",
        body,
        headers: await this.headers(body),
        redirect: "error",
        credentials: "omit",
        keepalive: isLastChance && byteLength(text) < KEEPALIVE_BYTES,
        signal: AbortSignal.timeout(this.settings.timeoutSeconds * 1000),
      });
      const answer = await response.text();
      this.learnTime(response.headers.get("date"));
      return judged(response.status, response.headers.get("retry-after") ?? "", answer, lines.length);
    } catch (error) {
      const cause = error instanceof Error && error.cause ? `${error}: ${error.cause}` : `${error}`;
      return allAgain(lines.length, `the REST API cannot be reached: ${cause}`);
    }
  }

  /** Returns an event with the time of this attempt, by the clock that its event_time was taken from. */
  private stamped(line: string): string {
    const at = line.lastIndexOf(SENT_AT);
    const correction = parseFloat(line.slice(at + SENT_AT.length)) || 0;
    const sentAt = new Date(this.settings.clock() + correction).toISOString();
    return `${line.slice(0, at)}${SENT_AT}"${sentAt}"}\n`;
  }

  private async headers(body: string | Uint8Array<ArrayBuffer>): Promise<Record<string, string>> {
    const mode = this.settings.signature;
    const dot = this.key.indexOf(".");
    const secret = this.key.slice(dot + 1);
    const headers: Record<string, string> = {
      "content-type": "application/x-ndjson",
      "x-api-key": mode === "instead_of_key" ? this.key.slice(0, dot + 1) + (await signed(secret, "name")) : this.key,
    };
    if (typeof body !== "string") headers["content-encoding"] = "gzip";
    if (mode !== "none") {
      const seconds = Math.floor((this.settings.clock() + this.clockError) / 1000);
      headers["x-signature"] = `t=${seconds},sha256=${await signed(secret, `${seconds}.`, body)}`;
    }
    return headers;
  }

  /** Browsers show the header to pages of other origins only where the REST API exposes it. */
  private learnTime(date: string | null): void {
    const error = Date.parse(date ?? "") - this.settings.clock();
    if (!Number.isNaN(error)) this.clockError = Math.abs(error) > CLOCK_TOLERANCE_MS ? error : 0;
  }
}

async function gzip(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function signed(secret: string, ...parts: (string | Uint8Array<ArrayBuffer>)[]): Promise<string> {
  const encoder = new TextEncoder();
  const hash = hex(await crypto.subtle.digest("SHA-256", encoder.encode(secret)));
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", encoder.encode(hash), algorithm, false, ["sign"]);
  const bytes = await new Blob(parts).arrayBuffer();
  return hex(await crypto.subtle.sign("HMAC", key, bytes));
}

function hex(bytes: ArrayBuffer): string {
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

function allAgain(count: number, problem: string): Answer {
  return {
    accepted: 0,
    rejected: new Map(),
    retry: [...Array(count).keys()],
    retryAfter: 0,
    problem,
    isTooMuch: false,
    isClockWrong: false,
  };
}

/** Returns what an answer of the REST API says of `count` events. */
export function judged(status: number, retryAfter: string, text: string, count: number): Answer {
  let body: any = null;
  try {
    body = JSON.parse(text);
  } catch {
    // Something between the game and the platform answered.
  }
  if ([202, 207, 422, 503].includes(status)) {
    const verdict = verdictOn(body, count);
    if (verdict) return { ...verdict, retryAfter: verdict.retry.length ? seconds(retryAfter) : 0 };
  }
  const code = String(body?.error?.code ?? "");
  const message = String(body?.error?.message ?? "");
  const problem = `the REST API answered ${status} ${code} ${message}`.trim();
  if (status === 400 || status === 413) {
    if (count === 1) {
      return { ...allAgain(0, ""), rejected: new Map([[0, `${code || status}: ${message}`]]) };
    }
    return { ...allAgain(count, problem), isTooMuch: true };
  }
  return { ...allAgain(count, problem), retryAfter: seconds(retryAfter), isClockWrong: code === "stale_signature" };
}

/** Returns the verdict on each event, undefined where the answer is not one on these events. */
function verdictOn(body: any, count: number): Answer | undefined {
  if (!Array.isArray(body?.results) || !Number.isInteger(body.accepted)) return undefined;
  const rejected = new Map<number, string>();
  const retry = new Set<number>();
  for (const item of body.results) {
    if (!Number.isInteger(item?.index) || item.index < 0 || item.index >= count) return undefined;
    if (item.status === "rejected") {
      rejected.set(item.index, described({ reason: item.reason, errors: item.errors ?? [item] }));
    } else {
      retry.add(item.index);
    }
  }
  if (body.accepted + rejected.size + retry.size !== count) return undefined;
  const problem = retry.size ? "the platform could not store all events" : "";
  const again = [...retry].sort((a, b) => a - b);
  return { ...allAgain(0, problem), accepted: body.accepted, rejected, retry: again };
}

/** Returns the seconds of a Retry-After header, which may be a date. */
function seconds(retryAfter: string): number {
  const given = retryAfter.trim();
  if (!given) return 0;
  const found = /^[0-9.]+$/.test(given) ? Number(given) : (Date.parse(given) - Date.now()) / 1000;
  return found > 0 ? Math.min(found, LONGEST_RETRY_AFTER) : 0;
}
