import type { Store } from "./queue.js";

export const MAX_REQUEST_EVENTS = 500;
export const MAX_REQUEST_BYTES = 1_000_000;
/** What `sent_at` adds to an event when it is sent, and a line break. */
export const STAMP_BYTES = 40;

/**
 * How the client keeps and sends events.
 *
 * The client sends a batch when it holds `batchEvents` events or `batchBytes` bytes, or when its oldest event is
 * `batchSeconds` old. The queue holds at most `queueBytes`, and the oldest events go first.
 */
export interface Settings {
  batchSeconds: number;
  batchEvents: number;
  batchBytes: number;
  /** Where events wait: `browserStore()`, `directoryStore(path)`, or memory, which ends with the page or process. */
  store: Store | null;
  queueBytes: number;
  /** Events between `track` and the queue; they stay there for milliseconds unless the store is stuck. */
  memoryBytes: number;
  heartbeatSeconds: number;
  timeoutSeconds: number;
  /** Waits between attempts: a random time below `firstRetrySeconds`, doubled with each attempt. */
  firstRetrySeconds: number;
  longestRetrySeconds: number;
  /** "instead_of_key" is for games that demand signatures: a name of the key is sent, never its secret. */
  signature: "none" | "beside_key" | "instead_of_key";
  validate: boolean;
  /** Called with a sentence on each problem. */
  onProblem: (problem: string) => void;
  /** The game's clock, in milliseconds since 1970. */
  clock: () => number;
}

/** Below 60,000 bytes a request may outlive the page that sends it. */
export const DEFAULTS: Settings = {
  batchSeconds: 30,
  batchEvents: 100,
  batchBytes: 56_000,
  store: null,
  queueBytes: 2_000_000,
  memoryBytes: 1_000_000,
  heartbeatSeconds: 60,
  timeoutSeconds: 15,
  firstRetrySeconds: 1,
  longestRetrySeconds: 300,
  signature: "none",
  validate: true,
  onProblem: (problem) => console.warn(`player-analytics: ${problem}`),
  clock: () => Date.now(),
};

/**
 * What became of events since the client began; `queued` wait now.
 *
 * `invalid` events never left the client; `rejected` ones the REST API refused for good; `dropped` ones the queue
 * had no room for. An event may be accepted and then sent again, when the answer to it was lost.
 */
export interface Stats {
  tracked: number;
  accepted: number;
  rejected: number;
  invalid: number;
  dropped: number;
  queued: number;
  requests: number;
  failed_requests: number;
}

const encoder = new TextEncoder();

export function byteLength(text: string): number {
  return encoder.encode(text).length;
}
