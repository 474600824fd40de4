/** One call to a registry, and what became of it. */
import type { Readable } from 'node:stream';
import type { RegistryFailure } from '../registry.ts';
import type { Answer } from './answer.ts';
import { classify, type Verdict } from './classify.ts';
import type { Method } from './transport.ts';

export interface Call {
  /** For the log: `DELETE manifest`. */
  readonly operation: string;
  readonly method: Method;
  readonly url: URL;
  /** Empty where none is meant. */
  readonly repository: string;
  /** What the token must allow, for example `pull,delete`. */
  readonly actions?: string;
  /**
   * Instead of `actions`, where the token's scope covers more than `repository`; several are separated by a space.
   */
  readonly scope?: string;
  readonly headers?: Record<string, string>;
  /** Called again for every try. */
  readonly body?: () => Uint8Array | Readable;
  /** Bytes read of the answer's body; 64 KiB is plenty for errors. */
  readonly limit?: number;
  /** An answer that the caller reads itself, whatever the table says about it. */
  readonly final?: (answer: Answer) => boolean;
  /** Leaves the body of a 200 unread. */
  readonly streamed?: boolean;
  /** A read that nothing is removed for: it may be answered by another host that the registry sends us to. */
  readonly mayLeadElsewhere?: 'to a named host' | 'to a store';
  readonly attempts?: number;
  /** Waits longer for a registry that is overloaded. */
  readonly patient?: boolean;
  /** Without credentials even a success says little: a listing may leave out what only an account may see. */
  readonly needsCredentials?: boolean;
  /** Changes a manifest or a tag: sent only while the caller may write. */
  readonly changesManifest?: boolean;
}

export type Result =
  | { readonly kind: 'answered'; readonly answer: Answer; readonly content?: Readable }
  /** `inDoubt`: an earlier try of this very call may have been what removed it. */
  | { readonly kind: 'gone'; readonly inDoubt: boolean }
  | Exclude<Verdict, { kind: 'success' | 'gone' } | RegistryFailure>;

/** What an answer means for the call that it is for. */
export function resultOf(call: Call, answer: Answer): Result | RegistryFailure {
  if (call.final?.(answer)) return { kind: 'answered', answer };
  const verdict = classify(call.method, answer, Date.now());
  switch (verdict.kind) {
    case 'success':
      return { kind: 'answered', answer };
    case 'gone':
      return { kind: 'gone', inDoubt: false };
    case 'needed_by_index':
    case 'dangling_tag':
    case 'failed':
      return verdict;
  }
}
