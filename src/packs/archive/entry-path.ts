/** Limits of the file systems that a pack is unpacked on: ext4, APFS and NTFS hold 255 per segment. */
const LONGEST_SEGMENT_BYTES = 255;
const LONGEST_PATH_BYTES = 1024;
const DEEPEST = 64;
/** A file of such a name would delete another one wherever the image is unpacked (OCI image layer, "Whiteouts"). */
const WHITEOUT = '.wh.';

/**
 * `segments` is empty for the archive's own root (`./`, and `/`, which Python writes); they are normalised to Unicode
 * NFC. `litter`: what a desktop left in the directory, no part of the pack.
 */
export type EntryPath =
  | { readonly kind: 'litter' }
  | { readonly kind: 'path'; readonly shown: string; readonly segments: readonly string[] }
  | { readonly kind: 'refused'; readonly shown: string; readonly message: string };

/** Decides whether an entry's name is a path inside the pack; `shown` is the name to speak of it. */
export function readEntryPath(name: Uint8Array): EntryPath {
  const shown = Buffer.from(name.subarray(0, LONGEST_PATH_BYTES)).toString().normalize('NFC');
  const refused = (message: string): EntryPath => ({ kind: 'refused', shown, message });
  if (name.length > LONGEST_PATH_BYTES) {
    return refused(`the name is longer than ${LONGEST_PATH_BYTES} bytes`);
  }

  let text: string;
  try {
    // ignoreBOM keeps a leading U+FEFF, which would otherwise vanish from the name.
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(name);
  } catch {
    return refused('the name is not valid UTF-8');
  }
  if (text === '') return refused('the entry has no name');
  if (FOLDER_ICON.test(text)) return { kind: 'litter' };
  if (/\p{Cc}/u.test(text)) return refused('the name contains a control character');
  if (/^(?:\.?\/)+\.?$|^\.$/.test(text)) return { kind: 'path', shown, segments: [] };
  if (text.startsWith('/') || /^[A-Za-z]:/.test(text)) {
    return refused('the path is absolute; a pack has relative paths only');
  }
  if (text.includes('\\')) return refused('the name contains a backslash; separate with /');

  // macOS writes decomposed names (NFD); the same pack from Linux must give the same image.
  const relative = text.normalize('NFC').replace(/^(\.\/)+/, '');
  const segments = relative.replace(/\/$/, '').split('/');
  if (segments.includes('..')) return refused('the path leads outside the pack');
  if (segments.some((segment) => segment === '' || segment === '.')) {
    return refused('the path has an empty or "." segment');
  }
  if (segments.some((segment) => Buffer.byteLength(segment) > LONGEST_SEGMENT_BYTES)) {
    return refused(`a part of the name is longer than ${LONGEST_SEGMENT_BYTES} bytes`);
  }
  if (segments.length > DEEPEST) return refused(`the path is deeper than ${DEEPEST} directories`);
  if (segments.some(isDesktopLitter)) return { kind: 'litter' };
  if (segments.some((segment) => segment.startsWith(WHITEOUT))) {
    return refused(
      `a part of the name begins with "${WHITEOUT}", by which images name what a layer removes; choose another name`,
    );
  }
  return { kind: 'path', shown, segments };
}

/** What Finder and Explorer put beside one's files; names of Windows' come in either case. */
const LITTER: ReadonlySet<string> = new Set([
  '.ds_store',
  '__macosx',
  'thumbs.db',
  'ehthumbs.db',
  'desktop.ini',
]);
/** Finder's, for a directory with an icon of its own; nothing else has a control character in its name. */
const FOLDER_ICON = /(?:^|\/)(?:\._)?Icon\r$/;
const isDesktopLitter = (segment: string): boolean =>
  segment.startsWith('._') || LITTER.has(segment.toLowerCase());
