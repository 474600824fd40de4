/** What the value of a setting may look like. */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { parseAddress } from './database-address/address.ts';
import { AddressRefused } from './database-address/address-refused.ts';
import { holdsCertificates } from './database-address/tls-options.ts';
import { readExceptions } from './outgoing/exceptions.ts';
import { parseHost } from './registry/host.ts';

export const whole = (minimum: number, maximum: number) =>
  z
    .string()
    .regex(/^\d+$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, `must be ${minimum} to ${maximum}`);

export const url = (...protocols: string[]) =>
  z.string().transform((text, context): URL => {
    const parsed = URL.parse(text);
    // Nobody means a fragment: it begins at a "#" that belongs to a password.
    if (parsed !== null && protocols.includes(parsed.protocol) && !text.includes('#')) {
      return parsed;
    }
    context.addIssue(`must be a ${protocols.join(' or ')}// address, with %23 for any "#" in it`);
    return z.NEVER;
  });

/** The address of a PostgreSQL server, as it was written; it is read again to connect. */
export const databaseAddress = z.string().superRefine((text, context) => {
  try {
    parseAddress(text);
  } catch (error) {
    if (!(error instanceof AddressRefused)) throw error;
    context.addIssue(error.message);
  }
});

export const onOff = z
  .enum(['on', 'off'], { error: 'must be on or off' })
  .transform((value) => value === 'on');

export const hosts = z.string().transform((text, context): readonly string[] => {
  const parsed = text
    .split(',')
    .map((host) => host.trim())
    .filter((host) => host !== '')
    .map(parseHost);
  if (parsed.every((host) => host !== null)) return parsed;
  context.addIssue('must be a comma-separated list of host[:port], without scheme or path');
  return z.NEVER;
});

export const isDecodable = (text: string): boolean => {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
};

export const proxy = z.string().transform((text, context): string => {
  // As curl has it: a bare host[:port] is an HTTP proxy.
  const parsed = URL.parse(text.includes('://') ? text : `http://${text}`);
  const isProxy = parsed !== null && ['http:', 'https:'].includes(parsed.protocol);
  // An account is written in percent-encoding, and a "%" that begins none cannot be read.
  if (isProxy && isDecodable(parsed.username) && isDecodable(parsed.password)) return parsed.href;
  context.addIssue('must be the address of an HTTP proxy, with %25 for any "%" in its account');
  return z.NEVER;
});

export const credential = z
  .string()
  .refine(
    (text) => !/[\r\n]/.test(text),
    'must not contain a line break; a file written with echo ends in one: write it with printf %s',
  );

/** Any text, but not what files of variables leave at the ends of one: it would be another text, or another directory. */
export const filled = z
  .string()
  .refine((text) => text === text.trim(), 'must not begin or end with a blank or a line break')
  .refine((text) => !/\p{Cc}/u.test(text), 'must not contain a control character')
  .refine((text) => !/^(["']).*\1$/.test(text), 'must not stand in quotes');

export const namespace = z
  .string()
  .max(100, 'must have at most 100 characters')
  .regex(
    /^[a-z0-9]+(?:[._-][a-z0-9]+)*(?:\/[a-z0-9]+(?:[._-][a-z0-9]+)*)*$/,
    'must be a repository path of lower-case letters, digits, ".", "_", "-" and "/"',
  )
  .refine(
    (namespace) => !/^(?:[^/]*\.|localhost(?:\/|$))/.test(namespace),
    'must not begin like a host: image references would be read as those of another registry',
  );

export const exceptions = z
  .string()
  .refine(
    (text) => readExceptions(text) !== null,
    'must be a comma-separated list of names, addresses and ranges of them, without scheme or path',
  );

export const origins = z
  .string()
  .transform((text) => text.split(',').map((origin) => origin.trim()))
  .transform((origins) => origins.filter((origin) => origin !== ''))
  .refine(
    (origins) => origins.every(isOrigin),
    'must be a comma-separated list of origins, without path or trailing slash; "*." may stand for what comes before a domain, as in https://*.example.com',
  );

export const certificateFile = z
  .string()
  .transform((path, context) => readText(path, context))
  .refine(holdsCertificates, 'must name a PEM file of certificates, each of them whole');

export const documentsFile = z.string().transform((path, context) => readDocuments(path, context));

/** As browsers write it; other schemes than http and https are those of apps and extensions, `capacitor://localhost`. */
function isOrigin(text: string): boolean {
  const plain = text.replace('://*.', '://');
  if (plain !== text && !plain.replace(/^.*:\/\//, '').includes('.')) return false;
  const isWeb = /^https?:\/\//.test(plain);
  return isWeb
    ? URL.parse(plain)?.origin === plain
    : /^[a-z][a-z0-9+.-]*:\/\/[a-z0-9-]+(?:\.[a-z0-9-]+)*(?::\d{1,5})?$/.test(plain);
}

function readText(path: string, context: z.RefinementCtx): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    context.addIssue(`the file ${path} cannot be read`);
    return z.NEVER;
  }
}

function readDocuments(path: string, context: z.RefinementCtx): ReadonlyMap<string, string> {
  const text = readText(path, context);
  if (typeof text !== 'string') return z.NEVER;
  try {
    const documents = z.record(z.string(), z.string()).parse(JSON.parse(text));
    return new Map(Object.entries(documents));
  } catch {
    context.addIssue(`the file ${path} must hold a JSON object of hash to document`);
    return z.NEVER;
  }
}
