import type { EventFeed } from '../audit/event-feed.ts';
import type { Authenticate } from '../identity/authenticate.ts';
import type { ReadingWorld } from '../packs/contents/reading-world.ts';
import type { AtOnce } from './at-once.ts';
import type { Bodies } from './bodies.ts';
import type { Turns } from './turns.ts';

/** What the surfaces stand on: the world, and what remembers something between requests. */
export interface Foundation {
  readonly world: ReadingWorld;
  readonly authenticate: Authenticate;
  readonly events: EventFeed;
  /** The uploads that are being received or worked on. */
  readonly uploads: AtOnce;
  /** The downloads that are streamed from the registry. */
  readonly downloads: AtOnce;
  readonly bodies: Bodies;
  /** What is being answered, by its part of what one answer may cost at most, until it has been sent. */
  readonly answers: Turns;
}
