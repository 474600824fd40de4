/** What one caller sends to hurt the service. */
import type { Target } from './target.ts';

export interface Attack {
  readonly name: string;
  /** Sends it; answers what came back, as far as something did. */
  readonly run: (target: Target) => Promise<readonly Reply[]>;
}

export interface Reply {
  readonly status: number;
  readonly bytes: number;
}
