export { browserStore } from "./browser.js";
export { Client, Session } from "./client.js";
export type * from "./events.js";
export type { FieldError } from "./fieldErrors.js";
export { memoryStore, type Store } from "./queue.js";
export type { Settings, Stats } from "./settings.js";
export { newestVersion, type Problem, problem } from "./validation.js";
