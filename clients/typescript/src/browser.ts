import type { Store } from "./queue.js";

const PREFIX = "player-analytics/";

/**
 * Keeps events in localStorage, which survives the page. Each page has segments of its own.
 *
 * A page takes over what closed pages left. Web Locks tell which pages are open.
 */
export function browserStore(name = "events", storage: Storage = localStorage): Store {
  const page = crypto.randomUUID();
  const folder = `${PREFIX}${name}/`;
  const key = (segment: number): string => `${folder}${page}/${segment}`;
  return {
    isVolatile: false,
    async open() {
      const open = await openPages(folder, page);
      const left = Object.keys(storage)
        .filter((each) => each.startsWith(folder) && !open.has(each.slice(folder.length).split("/")[0]!))
        .sort((a, b) => order(a).localeCompare(order(b)));
      left.forEach((each, at) => {
        const lines = storage.getItem(each) ?? "";
        storage.removeItem(each);
        storage.setItem(key(at + 1), lines);
      });
      return left.map((_, at) => at + 1);
    },
    read: (segment) => storage.getItem(key(segment)) ?? "",
    append: (segment, lines) => storage.setItem(key(segment), (storage.getItem(key(segment)) ?? "") + lines),
    replace: (segment, lines) => storage.setItem(key(segment), lines),
    remove: (segment) => storage.removeItem(key(segment)),
  };
}

/** Returns page and segment as text whose order is that of the segments. */
function order(key: string): string {
  const [segment = "", ...page] = key.split("/").reverse();
  return `${page.join("/")}/${segment.padStart(12, "0")}`;
}

async function openPages(folder: string, page: string): Promise<Set<string>> {
  const locks = typeof navigator === "undefined" ? undefined : navigator.locks;
  if (!locks) return new Set();
  // The lock is held until the page closes.
  await new Promise<void>((resolve) => {
    void locks.request(folder + page, () => {
      resolve();
      return new Promise(() => undefined);
    });
  });
  const { held = [] } = await locks.query();
  return new Set(held.map((lock) => (lock.name ?? "").slice(folder.length)));
}
