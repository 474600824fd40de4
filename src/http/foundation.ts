import type { EventFeed } from '../audit/event-feed.ts';
import type { Authenticate } from '../identity/authenticate.ts';
import type { World } from '../world.ts';

/** What the surfaces stand on: the world, and what remembers something between requests. */
export interface Foundation {
  readonly world: World;
  readonly authenticate: Authenticate;
  readonly events: EventFeed;
}
