import type { PackMetadata } from '../pack-metadata.ts';

/** A regular file of a pack; its bytes are in the spool file. */
export interface PackFile {
  /** Relative to the pack, with `/`, in Unicode NFC. */
  readonly path: string;
  readonly executable: boolean;
  readonly size: number;
  /** Where its bytes start in the spool file. */
  readonly offset: number;
}

/** A pack that was read and found good. */
export interface PackContents {
  readonly metadata: PackMetadata;
  readonly files: readonly PackFile[];
  readonly directories: readonly string[];
  /** The file that holds all contents one after the other; lives as long as the work directory. */
  readonly spool: string;
}
