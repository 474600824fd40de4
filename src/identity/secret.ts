import { hash, randomBytes } from 'node:crypto';

/** A new secret: 32 random bytes, URL-safe. */
export const newSecret = (): string => `sk_${randomBytes(32).toString('base64url')}`;

/** What a person may see of a secret, to tell keys apart. */
export const prefixOf = (secret: string): string => secret.slice(0, 10);

/** SHA-256 of a secret: all that is stored of it. A secret is random, so it needs no salt and no slow hash. */
export const hashOf = (secret: string): Buffer => hash('sha256', secret, 'buffer');
