// Says in sentences what is wrong with an event, as the REST API and the Python client do: their field_errors.py
// explains the limits and the order.

export const MAX_ERRORS = 16;
const MAX_TEXT = 300;
const MAX_QUOTED = 48;
const MAX_NAME = 64;
const MAX_LISTED = 12;
const GREATEST_SHOWN = 1e15;
const SMALLEST_SHOWN = 1e-4;
const MIN_MISSPELT = 4;
const KINDS: Record<string, string> = {
  null: "null",
  boolean: "a boolean",
  integer: "a whole number",
  number: "a number",
  string: "a string",
  array: "a list",
  object: "an object",
};

/** One error; `pointer` (RFC 6901) is where the field is or should be, "" for the whole event. */
export interface FieldError {
  pointer: string;
  message: string;
}

/** The keywords that event schemas use; no others are known. */
export interface Schema {
  type?: string | string[];
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  propertyNames?: Schema;
  minProperties?: number;
  maxProperties?: number;
  dependentRequired?: Record<string, string[]>;
  anyOf?: { required: string[] }[];
}

type Json = Record<string, unknown>;
type Forms = Record<string, string>;

const patterns = new Map<string, RegExp>();

/** Returns the errors of a value, at most MAX_ERRORS; `forms` has words for each pattern. */
export function fieldErrors(value: unknown, schema: Schema, forms: Forms): FieldError[] {
  const found: FieldError[] = [];
  for (const error of errors(value, schema, forms, [])) {
    found.push(error);
    if (found.length === MAX_ERRORS) break;
  }
  return found;
}

/** Returns the error of an event type that the catalogue does not have. */
export function unknownType(eventType: string, known: string[]): FieldError {
  return error(`there is no event type ${name(eventType)}${meant(eventType, known)}`, ["event_type"]);
}

/** Returns the known name that a name is probably meant to be, undefined where none is near. */
export function nearest(text: string, known: string[]): string | undefined {
  if (length(text) > MAX_NAME) return undefined;
  const spellings = new Map<string, string>();
  const note = (spelling: string, own: string) => {
    if (!spellings.has(spelling)) spellings.set(spelling, own);
  };
  for (const own of known) note(plain(own), own);
  for (const own of known) for (const spelling of shorter(plain(own))) note(spelling, own);
  const spelling = [plain(text), ...shorter(plain(text))].find((each) => spellings.has(each));
  return spelling === undefined ? undefined : spellings.get(spelling);
}

function plain(text: string): string {
  return text.replace(/[^A-Za-z0-9]+/g, "").toLowerCase();
}

function shorter(text: string): string[] {
  if (text.length < MIN_MISSPELT) return [];
  return [...text].map((_, i) => text.slice(0, i) + text.slice(i + 1));
}

function* errors(value: unknown, schema: Schema, forms: Forms, at: string[]): Generator<FieldError> {
  const text = wrong(value, schema, forms);
  if (text) yield error(`${label(at)} must ${text}`, at);
  if (is(value, "object")) yield* members(value as Json, schema, forms, at);
}

/** Returns what follows "must" in the error of a value by itself, "" where it has none. */
function wrong(value: unknown, schema: Schema, forms: Forms): string {
  const kinds = schema.type === undefined ? [] : [schema.type].flat();
  if (kinds.length && !kinds.some((kind) => is(value, kind))) {
    return `be ${listed(kinds.map((kind) => KINDS[kind]!), "or")}${not(value)}`;
  }
  if (schema.enum && !schema.enum.includes(value)) return choice(value, schema.enum);
  if (typeof value === "string") {
    const text = size(length(value), "character", schema.minLength, schema.maxLength);
    if (text) return text;
    if (schema.pattern !== undefined && !pattern(schema.pattern).test(value)) {
      return `be ${forms[schema.pattern] ?? "of another form"}${not(value)}`;
    }
  } else if (typeof value === "number") {
    const limits = outside(value, schema.minimum, schema.maximum);
    if (limits) return `be ${limits}${not(value)}`;
  } else if (is(value, "object")) {
    return size(Object.keys(value as Json).length, "field", schema.minProperties, schema.maxProperties);
  }
  return "";
}

function* members(value: Json, schema: Schema, forms: Forms, at: string[]): Generator<FieldError> {
  const fields = schema.properties ?? {};
  const others = schema.additionalProperties;
  const names = Object.keys(value);
  const has = (field: string) => Object.hasOwn(value, field);
  const unknown =
    others === false ? names.filter((each) => !Object.hasOwn(fields, each)).slice(0, MAX_ERRORS) : [];
  const known = Object.keys(fields);
  const written = new Map<string, string>();
  const near = new Map<string, string | undefined>();
  for (const own of unknown) {
    const found = nearest(own, known);
    near.set(own, found);
    if (found) written.set(found, own);
  }
  for (const [field, described] of Object.entries(fields)) {
    if (has(field)) {
      yield* errors(value[field], described, forms, [...at, field]);
    } else if (schema.required?.includes(field)) {
      const own = written.get(field);
      const hint = own === undefined ? "" : `; did you write it as ${name(own)}?`;
      yield error(`${label([...at, field])} is missing${hint}`, [...at, field]);
    }
  }
  for (const [field, needed] of Object.entries(schema.dependentRequired ?? {})) {
    for (const one of has(field) ? needed : []) {
      if (!has(one)) yield error(`${label([...at, one])} is missing: ${quoted(field)} needs it`, [...at, one]);
    }
  }
  for (const own of unknown) {
    const found = near.get(own);
    let hint = found ? `; did you mean ${quoted(found)}?` : "";
    if (!hint && Object.hasOwn(fields, "extra")) hint = `; fields of your own belong in ${label([...at, "extra"])}`;
    yield error(`${label(at)} has no field ${name(own)}${hint}`, at, own);
  }
  if (typeof others === "object") {
    for (const own of names) {
      if (Object.hasOwn(fields, own)) continue;
      const ofName = wrong(own, schema.propertyNames ?? {}, forms);
      const ofValue = ofName ? "" : wrong(value[own], others, forms);
      if (ofName) yield error(`the name of ${label([...at, own])} must ${ofName}`, at, own);
      else if (ofValue) yield error(`${label([...at, own])} must ${ofValue}`, at, own);
    }
  }
  // Event schemas use anyOf for "at least one of these fields" only.
  if (schema.anyOf && !schema.anyOf.some((each) => each.required.every(has))) {
    const ways = schema.anyOf.map((each) => each.required.map(quoted).join(" and "));
    yield error(`${label(at)} needs ${listed(ways, "or")}`, at);
  }
}

/** Returns an error at a path of named fields, or of a field below it whose name the sender chose. */
function error(message: string, at: string[], chosen = ""): FieldError {
  const isPart = chosen !== "" && length(chosen) <= MAX_NAME;
  const place = isPart ? [...at, chosen] : at;
  const pointer = place.map((part) => "/" + part.replaceAll("~", "~0").replaceAll("/", "~1")).join("");
  return { pointer: clipped(pointer), message: clipped(message) };
}

function clipped(text: string): string {
  return length(text) <= MAX_TEXT ? text : [...text].slice(0, MAX_TEXT - 1).join("") + "…";
}

/** Returns how a message calls a field: "client.platform" in quotes. */
function label(at: string[]): string {
  return at.length ? quoted(at.map((part) => (length(part) <= MAX_QUOTED ? part : "…")).join(".")) : "an event";
}

function name(text: string): string {
  return length(text) <= MAX_QUOTED ? quoted(text) : `of ${length(text)} characters`;
}

function meant(text: string, known: string[]): string {
  const found = nearest(text, known);
  return found ? `; did you mean ${quoted(found)}?` : "";
}

function choice(value: unknown, values: unknown[]): string {
  const shown = values.map(quoted);
  const text =
    shown.length <= MAX_LISTED ? `be ${listed(shown, "or")}` : `be one of ${shown.length} values such as ${shown[0]}`;
  return `${text}${not(value)}${typeof value === "string" ? meant(value, values as string[]) : ""}`;
}

/** Returns what is wrong with the length of a value, "" where nothing is. */
function size(count: number, noun: string, least?: number, most?: number): string {
  if (least === 1 && count === 0) return "not be empty";
  const limits = outside(count, least, most);
  return limits ? `have ${limits} ${noun}${limits.endsWith(" 1") ? "" : "s"}, not ${count}` : "";
}

/** Returns the limits that a number does not keep, "" where it keeps them. */
function outside(value: number, least?: number, most?: number): string {
  if (value >= (least ?? value) && value <= (most ?? value)) return "";
  if (most === undefined) return `at least ${least}`;
  return least === undefined ? `at most ${most}` : `from ${least} to ${most}`;
}

function not(value: unknown): string {
  const text = shown(value);
  return text ? `, not ${text}` : "";
}

/** Returns a value as a message shows it, "" for a number that Python and JavaScript write differently. */
function shown(value: unknown): string {
  if (typeof value === "string") {
    return length(value) <= MAX_QUOTED ? quoted(value) : `a string of ${length(value)} characters`;
  }
  if (typeof value === "number") {
    const size = Math.abs(value);
    return size === 0 || (size >= SMALLEST_SHOWN && size <= GREATEST_SHOWN) ? quoted(value) : "";
  }
  if (typeof value === "object" && value !== null) return KINDS[Array.isArray(value) ? "array" : "object"]!;
  return quoted(value);
}

function quoted(value: unknown): string {
  return JSON.stringify(value);
}

/** Returns "a", "a or b", "a, b or c". */
function listed(words: string[], last: string): string {
  return [words.slice(0, -1).join(", "), words.at(-1)].filter(Boolean).join(` ${last} `);
}

/** Returns how many characters a text has; those beyond 16 bits count once. */
function length(text: string): number {
  return [...text].length;
}

function is(value: unknown, kind: string): boolean {
  switch (kind) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "integer":
      return Number.isInteger(value);
    default:
      return typeof value === kind;
  }
}

function pattern(source: string): RegExp {
  let found = patterns.get(source);
  if (!found) {
    found = new RegExp(source, "u");
    patterns.set(source, found);
  }
  return found;
}
