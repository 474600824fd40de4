import { compactVerify, createLocalJWKSet, errors, type JWK } from 'jose';
import { z } from 'zod';

/** Signatures only; a shared secret (HS…) would be a public key that anybody may know. */
export const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'EdDSA'];

export interface UnusableKey {
  /** Null where the key has none. */
  readonly kid: string | null;
  /** Which one of the set it is, from 1 on. */
  readonly place: number;
  readonly reason: string;
}

const setSchema = z.looseObject({ keys: z.array(z.unknown()) });
const namedSchema = z.object({ kid: z.string() });

/**
 * A JWK Set without the keys that no signature can be checked with, such as an RSA key below 2048 bits (RFC 7518,
 * section 3.3): to jose each is an error like that of a fetch, of tokens that another key has signed too.
 * @param sent the JSON of JWKS_URL; what is no JWK Set is handed on as it is
 */
export async function withoutUnusable(
  sent: unknown,
): Promise<{ readonly keys: unknown; readonly unusable: readonly UnusableKey[] }> {
  const { data: set } = setSchema.safeParse(sent);
  if (set === undefined) return { keys: sent, unusable: [] };
  const keys: unknown[] = [];
  const unusable: UnusableKey[] = [];
  for (const [index, key] of set.keys.entries()) {
    const reason = await faultOf(key);
    if (reason === null) keys.push(key);
    else {
      const kid = namedSchema.safeParse(key).data?.kid ?? null;
      unusable.push({ kid, place: index + 1, reason });
    }
  }
  return { keys: { ...set, keys }, unusable };
}

/** By a made-up token of each algorithm: what jose finds wrong with it other than the signature is the key's fault. */
async function faultOf(key: unknown): Promise<string | null> {
  for (const alg of ALGORITHMS) {
    const token = `${Buffer.from(JSON.stringify({ alg })).toString('base64url')}.e30.AAAA`;
    try {
      // That it is a key is one of the things that jose checks.
      await compactVerify(token, createLocalJWKSet({ keys: [key as JWK] }));
    } catch (error) {
      // The other is that of a key for something else, such as encryption, which sets may have.
      const isFine =
        error instanceof errors.JWSSignatureVerificationFailed ||
        error instanceof errors.JWKSNoMatchingKey;
      if (!isFine) return error instanceof Error ? error.message || error.name : String(error);
    }
  }
  return null;
}
