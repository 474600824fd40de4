/** What one client was told, and so may rely on. `unknown`: an operation on it never answered. */
export type Known<T> = T | 'unknown';

export interface PackEntry {
  readonly id: string;
  readonly name: string;
  readonly digest: string;
  state: Known<'there' | 'deleted'>;
  /** A deletion was begun: until one answers, the pack may be in any of its states. */
  deletionBegun: boolean;
  /** Whether the client's role holds it. */
  attached: Known<boolean>;
}

export interface Ledger {
  readonly packs: PackEntry[];
  /** Names of uploads that did not answer with success: their image may be there, and their pack too. */
  readonly doubtfulNames: Set<string>;
  /** Answers that contradict earlier ones, in words. */
  readonly contradictions: string[];
  requests: number;
  unanswered: number;
}

export const newLedger = (): Ledger => ({
  packs: [],
  doubtfulNames: new Set(),
  contradictions: [],
  requests: 0,
  unanswered: 0,
});
