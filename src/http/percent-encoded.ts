import { isDecodable } from '../setting-forms.ts';

/**
 * Whether the percent-encoding in an address or a form stands for UTF-8. `URL` and `URLSearchParams` make U+FFFD of what
 * does not, and it would be kept. A "%" that begins none is a text to them, and to us.
 */
export const isEncodedUtf8 = (text: string): boolean =>
  isDecodable(text.replace(/%(?![\da-f]{2})/gi, '%25'));
