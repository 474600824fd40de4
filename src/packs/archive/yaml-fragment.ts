import { type CST, isAlias, isCollection, isNode, isPair } from 'yaml';
import type { YamlEntry } from './yaml-document.ts';

/**
 * The list or mapping under a key exactly as its author wrote it: the lines from behind the colon on, comments
 * included, less the indentation that their place asked for. A comment behind it belongs to it when it is indented
 * further than the key.
 */
export function cutFragment(text: string, { tokens, node, inFlow }: YamlEntry): string {
  const colon = tokens?.sep?.find(({ type }) => type === 'map-value-ind');
  const value = tokens?.value;
  if (colon === undefined || value == null) throw new Error('A list or mapping without its tokens');
  const start = colon.offset + colon.source.length;
  const keyColumn = indentation(text, colon.offset);
  const valueEnd = lastOffset(node);
  const end = inFlow ? valueEnd : endOfLines(text, valueEnd, keyColumn);
  const depth = ownIndentation(text, start, keyColumn, value);
  const [first = '', ...rest] = text.slice(start, end).split('\n');
  const margin = new RegExp(`^ {0,${depth}}`);
  const lines = [first.trimStart(), ...rest.map((line) => line.replace(margin, ''))];
  const from = lines.findIndex((line) => line.trim() !== '');
  const fragment = lines.slice(from).join('\n');
  return fragment.endsWith('\n') ? fragment : fragment + lineBreakAt(text, end);
}

/** The first alias of a fragment whose anchor is not in it; null: it can stand alone. */
export function outsideAlias(node: unknown, anchors: Set<string> = new Set()): string | null {
  if (isAlias(node)) return anchors.has(node.source) ? null : node.source;
  if (isNode(node) && node.anchor !== undefined) anchors.add(node.anchor);
  const parts = isPair(node) ? [node.key, node.value] : isCollection(node) ? node.items : [];
  for (const part of parts) {
    const found = outsideAlias(part, anchors);
    if (found !== null) return found;
  }
  return null;
}

/** Where the last value of a node ends, without the comments behind it. */
function lastOffset(node: unknown): number {
  if (isPair(node)) return lastOffset(node.value ?? node.key);
  if (isCollection(node) && node.flow !== true && node.items.length > 0) {
    return lastOffset(node.items.at(-1));
  }
  const end = isNode(node) ? node.range?.[1] : undefined;
  if (end === undefined) throw new Error('A value without its place in the text');
  return end;
}

/** Behind the comments that follow a block's last value; only a block scalar ends with its own line break. */
function endOfLines(text: string, valueEnd: number, keyColumn: number): number {
  const isWhole = text[valueEnd - 1] === '\n';
  let end = isWhole ? valueEnd : valueEnd + lineFrom(text, valueEnd).trimEnd().length;
  let at = isWhole ? valueEnd : nextLine(text, valueEnd);
  for (; at < text.length; at = nextLine(text, at)) {
    const line = lineFrom(text, at).trimEnd();
    if (line === '') continue;
    const column = indentation(text, at);
    if (line[column] !== '#' || column <= keyColumn) break;
    end = at + line.length;
  }
  return end;
}

/** How far a value's lines are indented because of where it stands. */
function ownIndentation(text: string, start: number, keyColumn: number, value: CST.Token): number {
  if (value.type === 'block-map' || value.type === 'block-seq') return value.indent;
  const isOnOwnLine = text.slice(start, value.offset).includes('\n');
  return isOnOwnLine ? indentation(text, value.offset) : keyColumn;
}

/** The spaces that start the line of an offset. */
function indentation(text: string, offset: number): number {
  const start = offset === 0 ? 0 : text.lastIndexOf('\n', offset - 1) + 1;
  let at = start;
  while (text[at] === ' ') at += 1;
  return at - start;
}

const lineFrom = (text: string, offset: number): string =>
  text.slice(offset, nextLine(text, offset)).replace(/\n$/, '');

function nextLine(text: string, offset: number): number {
  const end = text.indexOf('\n', offset);
  return end < 0 ? text.length : end + 1;
}

function lineBreakAt(text: string, offset: number): string {
  return /^[ \t]*\r\n/.test(text.slice(offset)) ? '\r\n' : '\n';
}
