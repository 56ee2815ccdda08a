import type { Device, Payloads, Privacy } from "./events.js";
import { memoryStore, Queue } from "./queue.js";
import {
  byteLength,
  DEFAULTS,
  MAX_REQUEST_BYTES,
  MAX_REQUEST_EVENTS,
  STAMP_BYTES,
  type Settings,
  type Stats,
} from "./settings.js";
import { type Answer, retryDelay, Transport } from "./transport.js";
import { described, dimensionsProblem, MAX_EVENT_BYTES, newestVersion, problem, unknown } from "./validation.js";

const SDK = "player-analytics-typescript/1.0.0";
// How long events gather in memory before they are written together.
const GATHER_MS = 10;
// A child's events, and events without consent, leave these fields on the device: docs/adr/0015.
const DEVICE_FIELDS = ["device_model", "locale", "os_version"];
const OVERHEAD_BYTES = 400;
// How long `close` waits for the platform where a store keeps what is left.
const SECONDS_TO_CLOSE = 2;
const LONE_SURROGATE = /\p{Surrogate}/u;

/** The members of the envelope that stay the same between two events of a session, as JSON. */
interface Identity {
  head: string;
  tail: string;
  isWithheld: boolean;
  isReduced: boolean;
}

/** A call of `track`, with the player's choices at that moment. */
interface Noted {
  session: Session;
  identity: Identity;
  eventType: string;
  payload: string;
  at: number;
}

/** Event types whose payload has no required field. */
type Bare = { [T in keyof Payloads]: {} extends Payloads[T] ? T : never }[keyof Payloads];

/** A play session of one player. Make one with `Client.startSession`; it numbers its events. */
export class Session {
  readonly sessionId = crypto.randomUUID();
  readonly began: number;
  nextHeartbeat: number;
  sequence = 0;
  hasEnded = false;
  private identity: Identity;
  private dimensions: Record<string, string> = {};

  constructor(
    private readonly client: Client,
    readonly playerId: string,
    private readonly device: Record<string, unknown>,
    private privacy: Privacy | undefined,
  ) {
    this.began = client.settings.clock();
    this.nextHeartbeat = this.began + client.settings.heartbeatSeconds * 1000;
    this.identity = this.identified();
  }

  /** Notes that something happened now. Never throws, and never waits for network or storage. */
  track<T extends Bare>(eventType: T, payload?: Payloads[T]): void;
  track<T extends keyof Payloads>(eventType: T, payload: Payloads[T]): void;
  track(eventType: string, payload?: object): void {
    try {
      const isReduced = this.identity.isReduced && payload && "extra" in payload;
      const text = JSON.stringify(isReduced ? { ...payload, extra: undefined } : (payload ?? {}));
      this.client.note({
        session: this,
        identity: this.identity,
        eventType: String(eventType),
        payload: text,
        at: this.client.settings.clock(),
      });
    } catch (error) {
      this.client.refuse(`${eventType} was not sent: malformed_json: ${error}`);
    }
  }

  /**
   * Says what the player agreed to, and their age group, from now on; undefined where nothing is asked.
   *
   * Without consent, an event names no player and has no free fields: the platform only counts it.
   */
  setPrivacy(privacy: Privacy | undefined): void {
    this.privacy = privacy;
    this.identity = this.identified();
  }

  /**
   * Gives events from now on a value of a custom dimension of the game; undefined takes it back.
   *
   * A name or value that no event can have is reported, and nothing changes.
   */
  setDimension(name: string, value: string | undefined): void {
    const { [name]: _, ...told } = this.dimensions;
    if (value !== undefined) told[name] = value;
    const found = dimensionsProblem(told);
    if (found) {
      this.client.report(`the dimension was not set: ${described(found)}`);
      return;
    }
    this.dimensions = told;
    this.identity = this.identified();
  }

  /** Tracks session_end, with the length of the session. */
  end(endReason: Payloads["session_end"]["end_reason"] = "exit"): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    const seconds = Math.max(0, Math.floor((this.client.settings.clock() - this.began) / 1000));
    this.track("session_end", { duration_seconds: seconds, end_reason: endReason });
  }

  private identified(): Identity {
    const said = this.privacy ?? {};
    const isWithheld = (said.analytics_storage ?? "granted") !== "granted";
    const isReduced = isWithheld || (said.age_group ?? "adult") !== "adult";
    const kept = Object.entries(this.device).filter(([name]) => !(isReduced && DEVICE_FIELDS.includes(name)));
    const player = isWithheld ? `withheld-${crypto.randomUUID()}` : this.playerId;
    const session = isWithheld ? crypto.randomUUID() : this.sessionId;
    const choices = Object.keys(said).length ? `,"privacy":${JSON.stringify(said)}` : "";
    const told = isReduced || !Object.keys(this.dimensions).length ? "" : `,"dimensions":${JSON.stringify(this.dimensions)}`;
    return {
      head: `"player_id":${JSON.stringify(player) ?? null},"session_id":"${session}"`,
      tail: `"client":${JSON.stringify(Object.fromEntries(kept))}${choices}${told}`,
      isWithheld,
      isReduced,
    };
  }
}

/**
 * Sends the events of a game. Nothing that it does throws, or waits for network or storage.
 *
 * The promises of `pause`, `flush` and `close` wait, for as long as their timeouts say.
 */
export class Client {
  readonly settings: Settings;
  private readonly gameId: string;
  private readonly transport: Transport;
  private readonly queue: Queue;
  private readonly sessions = new Set<Session>();
  private readonly counted: Stats;
  private readonly changed = new Set<() => void>();
  private pending: Noted[] = [];
  private pendingBytes = 0;
  private storing: Promise<void> = Promise.resolve();
  private inHand: string[] = [];
  private isGathering = false;
  private isPaused = false;
  private isClosing = false;
  private isStopped = false;
  private isSending = false;
  private stored = 0;
  private recovered = 0;
  private wanted = 0;
  private oldest: number | undefined;
  private attempt = 0;
  private most: number;
  private notBefore = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly heart: ReturnType<typeof setInterval>;

  /** `url`: the REST API without a path; `key`: the game's; `device`: platform, version and the like. */
  constructor(
    url: string,
    key: string,
    private readonly device: Device,
    settings: Partial<Settings> = {},
  ) {
    this.settings = { ...DEFAULTS, ...settings };
    this.gameId = JSON.stringify(String(key).split(".")[0]);
    this.transport = new Transport(String(url), String(key), this.settings);
    this.most = Math.max(1, Math.min(this.settings.batchEvents, MAX_REQUEST_EVENTS));
    const bytes = MAX_REQUEST_BYTES - MAX_REQUEST_EVENTS * STAMP_BYTES;
    const limits = {
      queueBytes: this.settings.queueBytes,
      segmentEvents: this.most,
      segmentBytes: Math.max(1, Math.min(this.settings.batchBytes, bytes)),
    };
    this.queue = new Queue(this.settings.store ?? memoryStore(), limits, (problem) => this.report(problem));
    this.counted = {
      tracked: 0, accepted: 0, rejected: 0, invalid: 0, dropped: 0, queued: 0, requests: 0, failed_requests: 0,
    };
    this.storing = this.queue.open().then(() => {
      this.recovered = this.queue.events + this.queue.dropped;
      this.wanted += this.recovered;
      this.plan();
    });
    this.heart = setInterval(() => this.beat(), 1000);
    unref(this.heart);
    this.watchTheEnd();
  }

  /**
   * Begins a session of a player and tracks session_start; heartbeats follow each minute until it ends.
   *
   * `device` replaces members of the client's own, for a server whose players have devices of their own.
   */
  startSession(
    playerId: string,
    options: { payload?: Payloads["session_start"]; device?: Partial<Device>; privacy?: Privacy } = {},
  ): Session {
    const device = { sdk: SDK, ...this.device, ...options.device };
    const session = new Session(this, playerId, device, options.privacy);
    session.track("session_start", options.payload ?? {});
    if (this.settings.heartbeatSeconds > 0) this.sessions.add(session);
    return session;
  }

  /**
   * Stops heartbeats and begins to send what waits: the game goes to the background.
   *
   * Resolves to whether everything was in the queue after at most `timeoutSeconds`; it is safe there in a store.
   */
  pause(timeoutSeconds = 1): Promise<boolean> {
    this.isPaused = true;
    const tracked = this.counted.tracked;
    this.requestAll();
    return this.waitFor(() => this.stored >= tracked, timeoutSeconds);
  }

  /** Goes on after `pause`. */
  resume(): void {
    this.isPaused = false;
  }

  /** Sends what waits now; resolves to whether nothing was left after at most `timeoutSeconds`. */
  async flush(timeoutSeconds: number): Promise<boolean> {
    await this.storing;
    this.requestAll();
    return this.waitFor(() => this.waiting() === 0, timeoutSeconds);
  }

  /**
   * Stores and sends what waits for at most `timeoutSeconds`; what is left in a store is sent next time.
   *
   * The default is 2 seconds with a store. Without one, it is the time of one request, because what is not sent by
   * then is lost.
   */
  async close(timeoutSeconds?: number): Promise<void> {
    if (this.isClosing) return;
    this.isClosing = true;
    clearInterval(this.heart);
    const needed = this.queue.isVolatile ? this.settings.timeoutSeconds : SECONDS_TO_CLOSE;
    await this.flush(timeoutSeconds ?? needed);
    this.isStopped = true;
    clearTimeout(this.timer);
    await this.queue.close();
    const lost = this.waiting();
    if (lost && this.queue.isVolatile) {
      this.counted.dropped += lost;
      this.report(`${lost} events were not sent, and there is no store to keep them in`);
    }
  }

  /** What became of the events until now. */
  get stats(): Stats {
    return { ...this.counted, queued: this.waiting(), dropped: this.counted.dropped + this.queue.dropped };
  }

  report(problem: string): void {
    try {
      this.settings.onProblem(problem);
    } catch {
      // The game's own mistake must not stop its events.
    }
  }

  /** Counts an event that cannot be sent. */
  refuse(problem: string): void {
    this.counted.tracked += 1;
    this.counted.invalid += 1;
    this.report(problem);
  }

  /** Keeps a call of `track` until it is stored. */
  note(noted: Noted): void {
    this.counted.tracked += 1;
    if (this.isClosing) {
      this.counted.dropped += 1;
      return;
    }
    this.pending.push(noted);
    this.pendingBytes += noted.payload.length + OVERHEAD_BYTES;
    let dropped = 0;
    while (this.pendingBytes > this.settings.memoryBytes && dropped < this.pending.length - 1) {
      this.pendingBytes -= this.pending[dropped]!.payload.length + OVERHEAD_BYTES;
      dropped += 1;
    }
    if (dropped) {
      this.pending.splice(0, dropped);
      this.counted.dropped += dropped;
      this.report(`events come faster than they can be stored: ${dropped} were dropped`);
    }
    this.gather(GATHER_MS);
  }

  private gather(delay: number): void {
    if (this.isGathering) return;
    this.isGathering = true;
    unref(setTimeout(() => this.storePending(), delay));
  }

  private storePending(): void {
    this.storing = this.storing.then(() => this.storeNow()).catch((error) => this.report(`a defect: ${error}`));
  }

  private async storeNow(): Promise<void> {
    this.isGathering = false;
    const noted = this.pending;
    const tracked = this.counted.tracked;
    this.pending = [];
    this.pendingBytes = 0;
    this.inHand = noted.flatMap((each) => this.line(each) ?? []);
    if (this.inHand.length) {
      await this.queue.append(this.inHand);
      this.inHand = [];
      this.oldest ??= performance.now();
    }
    this.stored = Math.max(this.stored, tracked);
    this.tell();
    this.plan();
  }

  private beat(): void {
    const now = this.settings.clock();
    for (const session of this.sessions) {
      if (session.hasEnded) {
        this.sessions.delete(session);
      } else if (now >= session.nextHeartbeat && !this.isPaused) {
        session.nextHeartbeat = now + this.settings.heartbeatSeconds * 1000;
        const elapsed = Math.max(0, Math.floor((now - session.began) / 1000));
        session.track("session_heartbeat", { elapsed_seconds: elapsed });
      }
    }
  }

  /** Returns an event's line of the queue, undefined where it cannot be sent. */
  private line(noted: Noted): string | undefined {
    const { session, identity, eventType } = noted;
    const no = (why: string): undefined => {
      this.counted.invalid += 1;
      this.report(`${eventType} was not sent: ${why}`);
    };
    const version = newestVersion(eventType);
    if (version === undefined) return no(described(unknown(String(eventType))));
    // Of the clock, which event_time is corrected by. `sent_at` holds it until the event is sent.
    const correction = this.transport.clockError;
    const time = new Date(noted.at + correction).toISOString();
    // Events without consent are not kept: they must leave no gap among those that are.
    const sequence = identity.isWithheld ? 0 : session.sequence;
    const line =
      `{"event_id":"${crypto.randomUUID()}","event_type":"${eventType}","schema_version":"${version}",` +
      `"game_id":${this.gameId},${identity.head},"sequence":${sequence},"event_time":"${time}",` +
      `${identity.tail},"payload":${noted.payload},"sent_at":${correction}}\n`;
    // JSON.stringify writes half of a character as an escape that the REST API cannot read.
    if (noted.payload.includes("\\u") && LONE_SURROGATE.test(deepText(JSON.parse(noted.payload)))) {
      return no("malformed_json: a text holds half of a character");
    }
    const size = byteLength(line) + STAMP_BYTES;
    if (size > MAX_EVENT_BYTES) {
      return no(`too_large: an event has at most ${MAX_EVENT_BYTES} bytes, this one ${size}`);
    }
    if (this.settings.validate) {
      // It is sent all the same: the quarantine keeps it, where it can be repaired and replayed.
      const found = problem({ ...JSON.parse(line), sent_at: time });
      if (found) this.report(`${eventType} will be refused: ${described(found)}`);
    }
    if (!identity.isWithheld) session.sequence += 1;
    return line;
  }

  private waiting(): number {
    return this.recovered + this.counted.tracked - this.settled();
  }

  /** How many events need nothing any more; the oldest are settled first. */
  private settled(): number {
    const { accepted, rejected, invalid, dropped } = this.counted;
    return accepted + rejected + invalid + dropped + this.queue.dropped;
  }

  private requestAll(): void {
    this.wanted = this.recovered + this.counted.tracked;
    this.storePending();
  }

  private tell(): void {
    for (const check of [...this.changed]) check();
  }

  private waitFor(isDone: () => boolean, timeoutSeconds: number): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (done: boolean): void => {
        clearTimeout(timer);
        this.changed.delete(check);
        resolve(done);
      };
      const check = (): void => {
        if (isDone()) end(true);
      };
      const timer = setTimeout(() => end(isDone()), Math.min(timeoutSeconds * 1000, 2 ** 31 - 1));
      this.changed.add(check);
      check();
    });
  }

  /** Sets the timer of the next request; sends now what is due. */
  private plan(): void {
    clearTimeout(this.timer);
    if (this.isStopped || this.isSending || !this.queue.events) return;
    const now = performance.now();
    const isDue = this.settled() < this.wanted || this.queue.isFullBatch;
    const due = isDue ? now : (this.oldest ?? now) + this.settings.batchSeconds * 1000;
    const delay = Math.max(due, this.notBefore) - now;
    if (delay <= 0) {
      this.isSending = true;
      void this.send();
    } else {
      this.timer = setTimeout(() => this.plan(), Math.min(delay, 2 ** 31 - 1));
      unref(this.timer);
    }
  }

  private async send(): Promise<void> {
    try {
      const head = await this.queue.head();
      if (head) {
        const [number, lines] = head;
        const sent = lines.slice(0, this.most);
        const answer = await this.transport.send(sent, isHidden());
        const left = [...answer.retry.map((index) => lines[index]!), ...lines.slice(sent.length)];
        await this.queue.settle(number, left);
        this.learn(answer, sent);
      }
    } catch (error) {
      this.notBefore = performance.now() + 1000;
      this.report(`a defect of the client: ${error}`);
    } finally {
      this.isSending = false;
      this.tell();
      this.plan();
    }
  }

  private learn(answer: Answer, sent: string[]): void {
    for (const [index, reason] of answer.rejected) {
      this.report(`${JSON.parse(sent[index]!).event_type} was refused: ${reason}`);
    }
    if (answer.problem) this.report(answer.problem);
    this.counted.accepted += answer.accepted;
    this.counted.rejected += answer.rejected.size;
    this.counted.requests += 1;
    this.counted.failed_requests += answer.retry.length ? 1 : 0;
    this.oldest = this.queue.events ? performance.now() : undefined;
    if (answer.isTooMuch) {
      this.most = Math.max(1, Math.floor(sent.length / 2));
    } else if (!answer.retry.length) {
      this.attempt = 0;
      this.most = Math.min(this.most * 2, Math.max(1, Math.min(this.settings.batchEvents, MAX_REQUEST_EVENTS)));
    } else {
      // A clock that was just corrected deserves one attempt at once.
      if (!(answer.isClockWrong && this.attempt === 0)) {
        this.notBefore = performance.now() + retryDelay(this.attempt, answer.retryAfter, this.settings) * 1000;
      }
      this.attempt += 1;
    }
  }

  private watchTheEnd(): void {
    if (typeof document !== "undefined") {
      document.addEventListener("visibilitychange", () => {
        if (document.visibilityState === "hidden") void this.pause();
        else this.resume();
      });
    } else if (typeof process !== "undefined") {
      process.once("beforeExit", () => void this.close());
      process.once("exit", () => this.storeAtExit());
    }
  }

  /** Writes what was tracked and is not yet stored; what is half written is written again, with its event_id. */
  private storeAtExit(): void {
    try {
      const lines = [...this.inHand, ...this.pending.flatMap((noted) => this.line(noted) ?? [])];
      this.pending = [];
      if (lines.length && !this.isStopped && !this.queue.isVolatile) this.queue.appendNow(lines);
    } catch (error) {
      this.report(`events that were just tracked are lost: ${error}`);
    }
  }
}

function unref(timer: unknown): void {
  (timer as { unref?: () => void }).unref?.();
}

function isHidden(): boolean {
  return typeof document !== "undefined" && document.visibilityState === "hidden";
}

function deepText(value: unknown): string {
  if (typeof value === "string") return value;
  if (typeof value !== "object" || value === null) return "";
  return Object.entries(value)
    .map(([name, item]) => `${name} ${deepText(item)}`)
    .join(" ");
}
