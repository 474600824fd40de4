/** Values by which an org can be recognised, and values of the same form that exist nowhere. */
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const DIGEST = /sha256:[0-9a-f]{64}/g;
const CANARY = /canary[\w-]*/gi;

/** Every UUID, digest and canary in the texts, each once. */
export const tokensOf = (texts: readonly string[]): string[] => {
  const text = texts.join('\n');
  return [...new Set([UUID, DIGEST, CANARY].flatMap((form) => text.match(form) ?? []))];
};

/** A value, and the forms in which it can come out. */
export const lookalikes = (token: string): string[] =>
  /^[0-9a-f]{8}-/.test(token) ? [token, Buffer.from(token).toString('base64url')] : [token];

const flipped = (text: string): string =>
  text.slice(0, -1) + (Number.parseInt(text.slice(-1), 16) ^ 1).toString(16);

/** The same value as nobody has it: as long, of the same form, and in the same place in any order. */
export function twinOf(value: string): string {
  const decoded = Buffer.from(value, 'base64url').toString();
  if (decoded.match(UUID)?.[0] === decoded) {
    return Buffer.from(flipped(decoded)).toString('base64url');
  }
  return value.replace(UUID, flipped).replace(DIGEST, flipped).replaceAll('canary', 'nobody');
}

/**
 * An answer without what differs from one request to the next: ids and digests made meanwhile, secrets, moments, and
 * the sizes of compressed archives.
 * @param known what is kept, such as the ids of what was there before
 */
export const withoutChance = (text: string, known: ReadonlySet<string>): string =>
  text
    .replace(/"[\w-]{48}"/g, (quoted) => {
      const decoded = Buffer.from(quoted.slice(1, -1), 'base64url').toString();
      return decoded.match(UUID)?.[0] === decoded ? `"cursor of ${decoded}"` : quoted;
    })
    .replace(UUID, (uuid) => (known.has(uuid) ? uuid : 'new'))
    .replace(DIGEST, (digest) => (known.has(digest) ? digest : 'sha256:new'))
    .replace(/sk_[\w-]+/g, 'sk_')
    .replace(/probe-\d+/g, 'probe')
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'moment')
    .replace(/("size_?[bB]ytes":)\d+/g, '$1"size"')
    .replaceAll('nobody', 'canary');
