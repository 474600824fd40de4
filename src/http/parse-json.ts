import { RequestRefused } from '../request-refused.ts';

/** A thousand representations of entities, or ids, have a tenth of these. Bounds the work and memory of parsing. */
export const MOST_VALUES = 20_000;
/**
 * Inputs have four levels, and what other systems' clients add a few more. Bounds the stack of the code that walks
 * them.
 */
const MOST_LEVELS = 200;

const BACKSLASH = 0x5c;
const QUOTE = 0x22;
const COMMA = 0x2c;
const OPENING = [0x5b, 0x7b];
const CLOSING = [0x5d, 0x7d];

/**
 * Parses JSON that a caller sent.
 * @param what it is called in messages: `The body`
 * @throws RequestRefused `bad_request` where it is no JSON, `payload_too_large` where it has too many values or levels
 */
export function parseJson(what: string, text: string): unknown {
  refuseLarge(what, text);
  try {
    // The mark of its byte order, which .NET and PowerShell write before a text, may be ignored (RFC 8259, section 8.1).
    return JSON.parse(text.startsWith('\ufeff') ? text.slice(1) : text);
  } catch {
    throw new RequestRefused('bad_request', `${what} is not JSON.`);
  }
}

/** Before it is parsed: a megabyte of brackets becomes 25 MiB, in a second (measured, V8 13). */
function refuseLarge(what: string, text: string): void {
  let values = 1;
  let levels = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === QUOTE) isInString = !isInString;
    else if (isInString) at += character === BACKSLASH ? 1 : 0;
    else if (character === COMMA) values += 1;
    else if (OPENING.includes(character)) {
      values += 1;
      levels += 1;
    } else if (CLOSING.includes(character)) levels -= 1;
    if (values > MOST_VALUES) throw tooLarge(what, `${MOST_VALUES} values`);
    if (levels > MOST_LEVELS) throw tooLarge(what, `${MOST_LEVELS} levels`);
  }
}

const tooLarge = (what: string, most: string) =>
  new RequestRefused('payload_too_large', `${what} has more than ${most}.`);
