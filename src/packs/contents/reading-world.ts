import type { World } from '../../world.ts';
import type { UnpackedImages } from './unpacked-images.ts';

/** The world of use-cases that read what is in a pack. */
export interface ReadingWorld extends World {
  readonly unpacked: UnpackedImages;
}
