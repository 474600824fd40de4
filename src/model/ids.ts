/**
 * Typed, opaque ids: a prefix that names the type, then a UUIDv7 (RFC 9562), whose order is the order of creation.
 * Tables hold the bare UUID; entities, and everything a caller sees, carry the prefix.
 */
import { Type } from '@mikro-orm/core';
import { v7 as uuidv7 } from 'uuid';

const prefixes = ['pack_', 'role_', 'org_', 'key_', 'evt_'] as const;
type Prefix = (typeof prefixes)[number];

declare const brand: unique symbol;
type Id<P extends Prefix> = `${P}${string}` & { readonly [brand]: P };

export type PackId = Id<'pack_'>;
export type RoleId = Id<'role_'>;
export type OrgId = Id<'org_'>;
export type KeyId = Id<'key_'>;
export type EventId = Id<'evt_'>;
export type AnyId = PackId | RoleId | OrgId | KeyId | EventId;

const UUID_LENGTH = 36;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

interface IdType<T extends AnyId> {
  /** A new one. */
  create(): T;
  /** The id of a row's UUID. */
  of(uuid: string): T;
  /** The id that a caller sent, or null where it cannot be one of this type. */
  parse(text: string): T | null;
  /** The type of an entity's column that holds such ids. */
  readonly column: IdColumn<T>;
}

/** A column of UUIDs whose entities carry ids. */
export class IdColumn<T extends AnyId> extends Type<T | null, string | null> {
  readonly ids: Pick<IdType<T>, 'of'>;

  constructor(ids: Pick<IdType<T>, 'of'>) {
    super();
    this.ids = ids;
  }

  // The ORM converts null as well, where the column may hold it.
  override convertToDatabaseValue(id: T | null): string | null {
    return id === null ? null : toUuid(id);
  }
  override convertToJSValue(uuid: string | null): T | null {
    return uuid === null ? null : this.ids.of(uuid);
  }
  override getColumnType(): string {
    return 'uuid';
  }
}

function idType<T extends AnyId>(prefix: Prefix): IdType<T> {
  // The brand has no run-time form: these two casts are the only places where an id comes into being.
  const of = (uuid: string) => `${prefix}${uuid}` as T;
  return {
    create: () => of(newUuid()),
    of,
    column: new IdColumn({ of }),
    parse: (text) =>
      text.startsWith(prefix) && UUID.test(text.slice(prefix.length)) ? (text as T) : null,
  };
}

export const packIds = idType<PackId>('pack_');
export const roleIds = idType<RoleId>('role_');
export const orgIds = idType<OrgId>('org_');
export const keyIds = idType<KeyId>('key_');
export const eventIds = idType<EventId>('evt_');

/**
 * The UUID under an id, as the tables hold it. Anything else is answered as it is: for the database to refuse, where it
 * is to be one.
 */
export function toUuid<Value>(value: Value): Value | string {
  if (typeof value !== 'string') return value;
  const at = value.length - UUID_LENGTH;
  const isId = prefixes.some((prefix) => prefix.length === at && value.startsWith(prefix));
  return isId ? value.slice(at) : value;
}

export const newUuid = (): string => uuidv7();

/**
 * The id of an event of this moment. Made of it also after the clock was set back, when new UUIDs go on from where they
 * were: a moment is then a place in the index on ids, which `auditEvents(filter: { since, until })` rests on.
 */
export function newEventId(moment: Date): EventId {
  const msecs = moment.getTime();
  const uuid = newUuid();
  const isClose = uuid < firstUuidAt(new Date(msecs + MOMENT_SLACK_MS));
  return eventIds.of(isClose ? uuid : uuidv7({ msecs }));
}

/** How far the moment in an event's id may lie from the event's own. */
const MOMENT_SLACK_MS = 1_000;

/** When something was made, by its id; null where that is no id of ours. */
export function madeAt(id: string): Date | null {
  const uuid = id.slice(id.indexOf('_') + 1);
  if (!UUID.test(uuid) || uuid[14] !== '7') return null;
  return new Date(Number.parseInt(uuid.slice(0, 8) + uuid.slice(9, 13), 16));
}

/** The smallest UUIDv7 of a moment: turns "since" into a bound on ids (RFC 9562, section 5.7). */
export function firstUuidAt(moment: Date): string {
  const milliseconds = Math.min(Math.max(moment.getTime(), 0), 0xffffffffffff);
  const hex = milliseconds.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}
