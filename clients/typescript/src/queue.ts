import { byteLength } from "./settings.js";

/** Where segments are: numbered runs of lines. Each operation may answer at once or later. */
export interface Store {
  /** Whether segments end with the page or process. */
  readonly isVolatile: boolean;
  /** Returns the numbers of the segments, the oldest first. */
  open(): number[] | Promise<number[]>;
  read(segment: number): string | Promise<string>;
  /** Adds lines to a segment, which may be new. */
  append(segment: number, lines: string): void | Promise<void>;
  /** Writes a segment anew, in one step. */
  replace(segment: number, lines: string): void | Promise<void>;
  remove(segment: number): void | Promise<void>;
  /** Adds lines at once, because the process ends. */
  appendNow?(segment: number, lines: string): void;
  close?(): void | Promise<void>;
}

/** Segments that end with the page or process. */
export function memoryStore(): Store {
  const segments = new Map<number, string>();
  return {
    isVolatile: true,
    open: () => [],
    read: (segment) => segments.get(segment) ?? "",
    append: (segment, lines) => void segments.set(segment, (segments.get(segment) ?? "") + lines),
    replace: (segment, lines) => void segments.set(segment, lines),
    remove: (segment) => void segments.delete(segment),
  };
}

interface Segment {
  number: number;
  events: number;
  size: number;
}

export interface Limits {
  queueBytes: number;
  segmentEvents: number;
  segmentBytes: number;
}

/** First in, first out. Where the store fails, events go on in memory. */
export class Queue {
  dropped = 0;
  private segments: Segment[] = [];
  private openSegment: Segment | undefined;
  private taken: Segment | undefined;
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private store: Store,
    private readonly limits: Limits,
    private readonly report: (problem: string) => void,
  ) {}

  /** How many events wait. */
  get events(): number {
    return this.segments.reduce((sum, segment) => sum + segment.events, 0);
  }

  /** Whether the oldest segment takes no more events. */
  get isFullBatch(): boolean {
    const [first, ...more] = this.segments;
    return first !== undefined && (more.length > 0 || this.isFull(first, 0));
  }

  get isVolatile(): boolean {
    return this.store.isVolatile;
  }

  /** Opens the queue that is there. */
  open(): Promise<void> {
    return this.inTurn(async () => {
      try {
        for (const number of await this.store.open()) {
          const text = await this.store.read(number);
          const lines = split(text);
          // A process that was killed may have left a part of a line, a machine that lost power anything.
          const good = lines.filter(isEvent);
          this.dropped += lines.length - good.length;
          if (!good.length) {
            await this.store.remove(number);
            continue;
          }
          const whole = good.join("");
          if (whole !== text) await this.store.replace(number, whole);
          this.segments.push({ number, events: good.length, size: byteLength(whole) });
        }
        await this.makeRoom();
      } catch (error) {
        await this.fallBack(error);
      }
    });
  }

  /** Adds lines, each with its line break. */
  append(lines: string[]): Promise<void> {
    return this.inTurn(async () => {
      let run: string[] = [];
      for (const line of lines) {
        const size = byteLength(line);
        if (!this.openSegment || this.isFull(this.openSegment, size)) {
          await this.write(run);
          run = [];
          this.openSegment = { number: this.nextNumber(), events: 0, size: 0 };
          this.segments.push(this.openSegment);
        }
        this.openSegment.events += 1;
        this.openSegment.size += size;
        run.push(line);
      }
      await this.write(run);
      await this.makeRoom();
    });
  }

  /** Writes lines at once, because the process ends; nothing else happens afterwards. */
  appendNow(lines: string[]): boolean {
    if (!this.store.appendNow) return false;
    this.store.appendNow(this.nextNumber() + 1, lines.join(""));
    return true;
  }

  /** Returns number and lines of the oldest segment, to which nothing is added any more. */
  head(): Promise<[number: number, lines: string[]] | undefined> {
    return this.inTurn(async () => {
      for (let segment = this.segments[0]; segment; segment = this.segments[0]) {
        this.taken = segment;
        if (segment === this.openSegment) this.openSegment = undefined;
        try {
          const lines = split(await this.store.read(segment.number));
          if (lines.length) return [segment.number, lines] as [number, string[]];
          this.dropped += segment.events;
          await this.forget(segment);
        } catch (error) {
          await this.fallBack(error);
        }
      }
      this.taken = undefined;
      return undefined;
    });
  }

  /** Keeps of a segment only the lines that are still to be sent. */
  settle(number: number, left: string[]): Promise<void> {
    return this.inTurn(async () => {
      this.taken = undefined;
      const segment = this.segments.find((each) => each.number === number);
      if (!segment || segment.events === left.length) return;
      try {
        if (left.length) {
          const text = left.join("");
          await this.store.replace(number, text);
          Object.assign(segment, { events: left.length, size: byteLength(text) });
        } else {
          this.segments.splice(this.segments.indexOf(segment), 1);
          await this.store.remove(number);
        }
      } catch (error) {
        await this.fallBack(error);
      }
    });
  }

  async close(): Promise<void> {
    await this.inTurn(async () => {
      await this.store.close?.();
    }).catch(() => undefined);
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.last.then(work);
    this.last = turn.catch(() => undefined);
    return turn;
  }

  private nextNumber(): number {
    return (this.segments.at(-1)?.number ?? 0) + 1;
  }

  private isFull(segment: Segment, more: number): boolean {
    return segment.events >= this.limits.segmentEvents || segment.size + more > this.limits.segmentBytes;
  }

  private async write(lines: string[]): Promise<void> {
    if (!lines.length || !this.openSegment) return;
    const text = lines.join("");
    try {
      await this.store.append(this.openSegment.number, text);
    } catch (error) {
      await this.fallBack(error);
      await this.store.append(this.openSegment.number, text);
    }
  }

  private async makeRoom(): Promise<void> {
    let dropped = 0;
    while (this.segments.reduce((sum, segment) => sum + segment.size, 0) > this.limits.queueBytes) {
      // What is being sent now stays until its answer comes.
      const oldest = this.segments.find((each) => each !== this.taken);
      if (!oldest || oldest === this.openSegment) break;
      dropped += oldest.events;
      await this.forget(oldest);
    }
    if (dropped) {
      this.dropped += dropped;
      this.report(`the queue is full: its ${dropped} oldest events were dropped`);
    }
  }

  private async forget(segment: Segment): Promise<void> {
    this.segments.splice(this.segments.indexOf(segment), 1);
    try {
      await this.store.remove(segment.number);
    } catch {
      // What stays is sent again after the next start.
    }
  }

  /** Goes on in memory with what can still be read. */
  private async fallBack(error: unknown): Promise<void> {
    this.report(`the queue on disk fails, events wait in memory: ${error}`);
    const memory = memoryStore();
    for (const segment of [...this.segments]) {
      try {
        const text = await this.store.read(segment.number);
        await memory.append(segment.number, text.slice(0, text.lastIndexOf("\n") + 1));
      } catch {
        if (segment !== this.openSegment) {
          this.dropped += segment.events;
          this.segments.splice(this.segments.indexOf(segment), 1);
        }
      }
    }
    this.store = memory;
  }
}

function split(text: string): string[] {
  return text.split(/(?<=\n)/).filter((line) => line !== "");
}

function isEvent(line: string): boolean {
  try {
    return line.endsWith("\n") && typeof JSON.parse(line).sent_at === "number";
  } catch {
    return false;
  }
}
