import type { Invalid } from '../field-problem.ts';

/** What `pack.yaml` says about a pack; produced only by `parsePackMetadata`, so it is always valid. */
export interface PackMetadata {
  readonly name: string;
  /** A semantic version; build metadata (`+…`) is allowed, which an OCI tag cannot spell as it is. */
  readonly version: string;
  readonly displayName: string;
  readonly description: string;
  readonly category: string | null;
  /** The caps.yaml fragment, as YAML text. */
  readonly capabilities: string | null;
  readonly suggestedPacks: readonly string[];
}

export type PackMetadataOutcome =
  | { readonly kind: 'valid'; readonly metadata: PackMetadata }
  | Invalid;

/** Bytes; a pack.yaml is a page of text, and YAML takes time that grows faster than its length. */
export const LARGEST_PACK_YAML = 64 * 1024;
