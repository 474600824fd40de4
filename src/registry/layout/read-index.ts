import { readFile } from 'node:fs/promises';
import { damagedIndex, isAbsent } from './failure.ts';
import { type Index, parseIndex } from './index-document.ts';

/** @throws LayoutError where the index is missing or damaged */
export async function readIndex(path: string): Promise<Index> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw isAbsent(error) ? damagedIndex() : error;
  }
  const index = parseIndex(text);
  if (index === undefined) throw damagedIndex();
  return index;
}
