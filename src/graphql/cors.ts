import type { CORSOptions } from 'graphql-yoga';

/**
 * Which pages of other origins a browser may let talk to us. An origin that is not on the list is told nothing at all:
 * left to Yoga, it would be told the one that is on it, and an empty list would let everybody in.
 */
export function corsFor(origins: readonly string[]): (request: Request) => CORSOptions {
  const options: CORSOptions = {
    origin: [...origins],
    // No cookie means anything here, so no browser has to send one.
    credentials: false,
    methods: ['GET', 'POST', 'OPTIONS'],
    exposedHeaders: ['x-request-id', 'retry-after'],
    maxAge: 86_400,
  };
  return ({ headers }) => (origins.includes(headers.get('origin') ?? '') ? options : false);
}
