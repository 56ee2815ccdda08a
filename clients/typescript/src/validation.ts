import { schemas } from "./events.js";

export const MAX_EVENT_BYTES = 64 * 1024;
const MAX_MESSAGE = 300;
const TYPES = ["array", "null", "boolean", "integer", "number", "object", "string"];

/** Why an event is refused, as the REST API says it; `pointer` is a JSON Pointer. */
export interface Problem {
  reason: string;
  message: string;
  pointer: string;
}

/** The keywords that event schemas use; no others are known. */
interface Schema {
  type?: string | string[];
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  /** A limit that a schema writes as 1000000000000000.0, which is another number to the REST API's validator. */
  minimumText?: string;
  maximumText?: string;
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
type Found = [message: string, path: string[]];

const payloads = schemas.payloads as unknown as Record<string, { version: string; schema: Schema }>;
const envelope = schemas.envelope as unknown as Schema;
const wholes = new Map<string, Schema>();
const patterns = new Map<string, RegExp>();

/** Returns the newest schema_version of an event type, undefined where the catalogue has no such type. */
export function newestVersion(eventType: string): string | undefined {
  return Object.hasOwn(payloads, eventType) ? payloads[eventType]!.version : undefined;
}

/** Returns the first problem of an event of a known type, undefined where it has the form of its schema. */
export function firstProblem(event: Json): Problem | undefined {
  for (const [message, path] of errors(event, whole(event["event_type"] as string), [])) {
    const pointer = path.map((part) => "/" + part.replaceAll("~", "~0").replaceAll("/", "~1")).join("");
    const letters = [...message];
    const short = letters.length <= MAX_MESSAGE ? message : letters.slice(0, MAX_MESSAGE - 1).join("") + "…";
    return { reason: "schema_violation", message: short, pointer: [...pointer].slice(0, MAX_MESSAGE).join("") };
  }
  return undefined;
}

function whole(eventType: string): Schema {
  let found = wholes.get(eventType);
  if (!found) {
    const payload = payloads[eventType]!.schema;
    found = { ...envelope, properties: { ...envelope.properties, payload } };
    wholes.set(eventType, found);
  }
  return found;
}

function* errors(value: unknown, schema: Schema, at: string[]): Generator<Found> {
  const kinds = schema.type === undefined ? [] : [schema.type].flat();
  if (kinds.length && !kinds.some((kind) => is(value, kind))) {
    const named = [...kinds].sort((a, b) => TYPES.indexOf(a) - TYPES.indexOf(b)).map((kind) => `"${kind}"`);
    yield [`${text(value)} is not of type${kinds.length > 1 ? "s" : ""} ${named.join(", ")}`, at];
  }
  if (schema.enum && !schema.enum.includes(value)) {
    yield [`${text(value)} is not one of ${candidates(schema.enum)}`, at];
  }
  if (typeof value === "string") {
    const length = [...value].length;
    if (length < (schema.minLength ?? 0)) {
      yield [`${text(value)} is shorter than ${count(schema.minLength!, "character")}`, at];
    }
    if (length > (schema.maxLength ?? length)) {
      yield [`${text(value)} is longer than ${count(schema.maxLength!, "character")}`, at];
    }
    if (schema.pattern !== undefined && !pattern(schema.pattern).test(value)) {
      yield [`${text(value)} does not match "${schema.pattern}"`, at];
    }
  } else if (typeof value === "number") {
    if (value < (schema.minimum ?? value)) {
      yield [`${text(value)} is less than the minimum of ${schema.minimumText ?? text(schema.minimum)}`, at];
    }
    if (value > (schema.maximum ?? value)) {
      yield [`${text(value)} is greater than the maximum of ${schema.maximumText ?? text(schema.maximum)}`, at];
    }
  } else if (is(value, "object")) {
    yield* objectErrors(value as Json, schema, at);
  }
}

function* objectErrors(value: Json, schema: Schema, at: string[]): Generator<Found> {
  const names = Object.keys(value);
  if (names.length < (schema.minProperties ?? 0)) {
    yield [`${text(value)} has less than ${count(schema.minProperties!, "property")}`, at];
  }
  if (names.length > (schema.maxProperties ?? names.length)) {
    yield [`${text(value)} has more than ${count(schema.maxProperties!, "property")}`, at];
  }
  const required = schema.required ?? [];
  const others = schema.additionalProperties;
  const missing = required
    .filter((name) => !Object.hasOwn(value, name))
    .map((name): Found => [`"${name}" is a required property`, at]);
  // The REST API's validator reports a single required field of a closed object last.
  const comesLast = others === false && required.length === 1;
  if (!comesLast) yield* missing;
  for (const [name, needed] of Object.entries(schema.dependentRequired ?? {})) {
    if (!Object.hasOwn(value, name)) continue;
    for (const one of needed.filter((field) => !Object.hasOwn(value, field))) {
      yield [`"${one}" is a required property`, at];
    }
  }
  const unexpected: string[] = [];
  for (const name of names) {
    if (schema.properties && Object.hasOwn(schema.properties, name)) {
      yield* errors(value[name], schema.properties[name]!, [...at, name]);
    } else if (others === false) {
      unexpected.push(`'${name}'`);
    } else if (typeof others === "object") {
      yield* errors(value[name], others, [...at, name]);
    }
  }
  if (unexpected.length) {
    const were = unexpected.length > 1 ? "were" : "was";
    yield [`Additional properties are not allowed (${unexpected.join(", ")} ${were} unexpected)`, at];
  }
  if (comesLast) yield* missing;
  if (schema.propertyNames) {
    for (const name of names) yield* errors(name, schema.propertyNames, at);
  }
  // Event schemas use anyOf for "at least one of these fields" only.
  if (schema.anyOf && !schema.anyOf.some((each) => each.required.every((name) => Object.hasOwn(value, name)))) {
    yield [`${text(value)} is not valid under any of the schemas listed in the 'anyOf' keyword`, at];
  }
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

function candidates(values: unknown[]): string {
  const shown = values.map(text);
  if (shown.length <= 3) {
    return [shown.slice(0, -1).join(", "), shown.at(-1)].filter(Boolean).join(" or ");
  }
  return `${shown[0]}, ${shown[1]} or ${shown.length - 2} other candidates`;
}

function count(number: number, noun: string): string {
  return `${number} ${number === 1 ? noun : noun.endsWith("y") ? noun.slice(0, -1) + "ies" : noun + "s"}`;
}

function pattern(source: string): RegExp {
  let found = patterns.get(source);
  if (!found) {
    found = new RegExp(source, "u");
    patterns.set(source, found);
  }
  return found;
}

/** Returns a value as the REST API quotes it: JSON with sorted names and its own form of numbers. */
function text(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(text).join(",")}]`;
  if (typeof value === "number") return number(value);
  if (typeof value === "object" && value !== null) {
    const members = Object.keys(value).sort();
    return `{${members.map((name) => `${JSON.stringify(name)}:${text((value as Json)[name])}`).join(",")}}`;
  }
  return JSON.stringify(value);
}

/** Returns a number as the REST API quotes it: JSON has integers up to 64 bits, others become floats there. */
function number(value: number): string {
  const written = JSON.stringify(value);
  const size = Math.abs(value);
  const isFloat = size >= 1e21 || (size > 0 && size < 1e-5) || (size >= 2 ** 63 && isWide(BigInt(written)));
  return isFloat ? value.toExponential() : written;
}

function isWide(integer: bigint): boolean {
  return integer < -(2n ** 63n) || integer >= 2n ** 64n;
}
