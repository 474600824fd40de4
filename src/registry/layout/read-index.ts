import { readFile } from 'node:fs/promises';
import { damagedIndex, isAbsent } from './failure.ts';
import { Index } from './index.ts';
import { parseDocument } from './index-document.ts';

/** @throws LayoutError where the index is missing or damaged */
export async function readIndex(path: string): Promise<Index> {
  try {
    return indexOf(await readFile(path, 'utf8'));
  } catch (error) {
    throw isAbsent(error) ? damagedIndex() : error;
  }
}

/** @throws LayoutError where the text is no index */
export function indexOf(text: string): Index {
  const document = parseDocument(text);
  if (document === undefined) throw damagedIndex();
  return new Index(document);
}
