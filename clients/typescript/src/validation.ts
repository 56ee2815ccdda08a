import { schemas } from "./events.js";
import { type FieldError, fieldErrors, type Schema, unknownType } from "./fieldErrors.js";

export const MAX_EVENT_BYTES = 64 * 1024;

/** Why an event is refused, as the REST API says it. */
export interface Problem {
  reason: string;
  errors: FieldError[];
}

const payloads = schemas.payloads as unknown as Record<string, { version: string; schema: Schema }>;
const envelope = schemas.envelope as unknown as Schema;
const wholes = new Map<string, Schema>();

/** Returns a refusal as one text: the reason, and each error with its pointer. */
export function described({ reason, errors }: Problem): string {
  return `${reason} ${errors.map(({ pointer, message }) => `at ${pointer || "/"}: ${message}`).join("; ")}`;
}

/** Returns the newest schema_version of an event type, undefined where the catalogue has no such type. */
export function newestVersion(eventType: string): string | undefined {
  return Object.hasOwn(payloads, eventType) ? payloads[eventType]!.version : undefined;
}

/** Returns the problem of an event type that the catalogue does not have. */
export function unknown(eventType: string): Problem {
  return { reason: "unknown_schema", errors: [unknownType(eventType, Object.keys(payloads))] };
}

/** Returns what is wrong with an event of a known type, undefined where it has the form of its schema. */
export function problem(event: Record<string, unknown>): Problem | undefined {
  const errors = fieldErrors(event, whole(event["event_type"] as string), schemas.forms);
  return errors.length ? { reason: "schema_violation", errors } : undefined;
}

/** Returns what is wrong with values of custom dimensions, undefined where an event can have them. */
export function dimensionsProblem(dimensions: Record<string, unknown>): Problem | undefined {
  const schema = { type: "object", properties: { dimensions: envelope.properties!["dimensions"]! } } as Schema;
  const errors = fieldErrors({ dimensions }, schema, schemas.forms);
  return errors.length ? { reason: "schema_violation", errors } : undefined;
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
