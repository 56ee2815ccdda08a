import { appendFileSync, mkdirSync } from "node:fs";
import { appendFile, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Store } from "./queue.js";

export * from "./index.js";

const FILE = /^[0-9]{12}\.ndjson$/;
// Folders of this process, which is no sign that the process of another folder runs.
const own = new Set<string>();

/**
 * Keeps events in files, which survive the process. Each process has a folder of its own in the directory.
 *
 * A process takes over what processes that have ended left there. Processes in containers see only their own
 * process ids: give each container a directory.
 */
export function directoryStore(directory: string): Store {
  const name = `${process.pid}-${crypto.randomUUID().slice(0, 8)}`;
  const folder = join(directory, name);
  const path = (segment: number, inside = folder): string =>
    join(inside, `${String(segment).padStart(12, "0")}.ndjson`);
  own.add(name);
  return {
    isVolatile: false,
    async open() {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      const found: number[] = [];
      for (const other of (await readdir(directory)).sort()) {
        if (own.has(other) || isRunning(parseInt(other, 10))) continue;
        const left = join(directory, other);
        for (const file of (await readdir(left)).filter((each) => FILE.test(each)).sort()) {
          found.push(found.length + 1);
          await rename(join(left, file), path(found.length));
        }
        await rm(left, { recursive: true, force: true });
      }
      return found;
    },
    read: (segment) => readFile(path(segment), "utf8"),
    append: (segment, lines) => appendFile(path(segment), lines, { mode: 0o600 }),
    async replace(segment, lines) {
      const draft = `${path(segment)}.draft`;
      await writeFile(draft, lines, { mode: 0o600 });
      await rename(draft, path(segment));
    },
    remove: (segment) => rm(path(segment), { force: true }),
    appendNow(segment, lines) {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      appendFileSync(path(segment), lines, { mode: 0o600 });
    },
    close: () => void own.delete(name),
  };
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid)) return true;
  if (pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
