/**
 * Typed, opaque ids: a prefix that names the type, then a UUIDv7 (RFC 9562), whose order is the order of creation.
 * Tables hold the bare UUID; everything a caller sees carries the prefix.
 */
import { v7 as uuidv7 } from 'uuid';

declare const brand: unique symbol;
type Id<Prefix extends string> = `${Prefix}_${string}` & { readonly [brand]: Prefix };

export type PackId = Id<'pack'>;
export type RoleId = Id<'role'>;
export type OrgId = Id<'org'>;
export type KeyId = Id<'key'>;
export type EventId = Id<'evt'>;
export type AnyId = PackId | RoleId | OrgId | KeyId | EventId;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

interface IdType<T extends AnyId> {
  /** The id of a row's UUID. */
  of(uuid: string): T;
  /** The id that a caller sent, or null where it cannot be one of this type. */
  parse(text: string): T | null;
}

function idType<T extends AnyId>(prefix: string): IdType<T> {
  const start = `${prefix}_`;
  return {
    // The brand has no run-time form: these two casts are the only places where an id comes into being.
    of: (uuid) => `${start}${uuid}` as T,
    parse: (text) =>
      text.startsWith(start) && UUID.test(text.slice(start.length)) ? (text as T) : null,
  };
}

export const packIds = idType<PackId>('pack');
export const roleIds = idType<RoleId>('role');
export const orgIds = idType<OrgId>('org');
export const keyIds = idType<KeyId>('key');
export const eventIds = idType<EventId>('evt');

/** The UUID under an id, as the tables hold it. */
export const uuidOf = (id: AnyId): string => id.slice(id.indexOf('_') + 1);

export const newUuid = (): string => uuidv7();

/** The smallest UUIDv7 of a moment: turns "since" into a bound on ids (RFC 9562, section 5.7). */
export function firstUuidAt(moment: Date): string {
  const milliseconds = Math.min(Math.max(moment.getTime(), 0), 0xffffffffffff);
  const hex = milliseconds.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-000000000000`;
}
