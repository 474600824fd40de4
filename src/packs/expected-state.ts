import type { PackRow } from '../model/pack-row.ts';
import type { ImageFile } from './contents/image-tree.ts';

/**
 * Looks at what is about to be changed, when nobody else can change it any more.
 * @throws RequestRefused `precondition_failed` where it is not what the caller takes it for
 */
export type Expectation = (state: {
  readonly pack: PackRow;
  /** The file that is to be changed; null where there is none, absent where all of the pack is changed. */
  readonly file?: ImageFile | null;
}) => void;
