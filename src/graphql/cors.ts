import type { CORSOptions } from 'graphql-yoga';
import { type AllowedOrigins, EXPOSED_HEADERS, PREFLIGHT_MAX_AGE } from '../http/origins.ts';

/** An origin that is not allowed is told nothing at all: left to Yoga, it would be told one that is. */
export function corsFor(origins: AllowedOrigins): (request: Request) => CORSOptions {
  return ({ headers }) => {
    const origin = headers.get('origin');
    if (origin === null || !origins.allows(origin)) return false;
    return {
      origin,
      // Cookies mean nothing here, so no browser has to send one.
      credentials: false,
      methods: ['GET', 'POST', 'OPTIONS'],
      exposedHeaders: EXPOSED_HEADERS,
      maxAge: PREFLIGHT_MAX_AGE,
    };
  };
}
