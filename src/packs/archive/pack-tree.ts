import { ArchiveRefused, entryProblemPath } from './archive-refused.ts';

type Kind = 'file' | 'directory';

/** What may stand at the top of a pack, and as what (the contract's list). */
const TOP_LEVEL: ReadonlyMap<string, Kind> = new Map([
  ['pack.yaml', 'file'],
  ['behavior.md', 'file'],
  ['guides', 'directory'],
  ['scripts', 'directory'],
  ['data', 'directory'],
  ['templates', 'directory'],
]);
const ALLOWED = 'pack.yaml, behavior.md, guides/, scripts/, data/ and templates/';

/**
 * Files and directories that hold nothing (contract, "Pack archives"). The directories around them are not among these:
 * an archive may leave them out, and the pack's own names them all.
 */
const MOST_ENTRIES = 10_000;
/** Directories that hold something; bounds memory against 10,000 deep paths. */
const MOST_DIRECTORIES = 10_000;
/** Everything that a pack's own archive names. */
export const MOST_NODES = MOST_ENTRIES + MOST_DIRECTORIES;
/** Characters of all their paths together: 400 for each of 10,000 entries. */
export const MOST_PATH_CHARACTERS = 4_000_000;

interface Node {
  readonly segment: string;
  readonly kind: Kind;
  /** The name of the entry that it first came by. */
  readonly shown: string;
  implied: boolean;
  /** By their names as macOS and Windows compare them. */
  readonly children: Map<string, Node>;
}

/** Where in an archive the pack is. */
export interface PackRoot {
  /** How many segments of a path come before the pack. */
  readonly depth: 0 | 1;
  /** Every directory of the pack, named or implied. */
  readonly directories: readonly string[];
}

/**
 * The paths of an archive as they arrive, each checked against those before it.
 *
 * A pack may be archived as its content (`pack.yaml`, `guides/…`) or as its directory (`incident-triage/pack.yaml`, …),
 * and tools store the entries in any order, so which of both it is shows at the end.
 */
export class PackTree {
  readonly #root: Node = node('', 'directory', '', false);
  #entries = 0;
  #directories = 0;
  #characters = 0;

  /** Throws `ArchiveRefused` where the path cannot stand beside the others. */
  add(shown: string, segments: readonly string[], kind: Kind): void {
    if (segments.length === 0 && kind === 'file') {
      throw refused(shown, 'this is a file where the pack has its directory');
    }
    let parent = this.#root;
    let characters = 0;
    // Segment by segment: whole paths of 64 directories each would be folded and joined for seconds.
    for (const [depth, segment] of segments.entries()) {
      const isLast = depth === segments.length - 1;
      const key = caseFolded(segment);
      characters += segment.length + (depth === 0 ? 0 : 1);
      let child = parent.children.get(key);
      if (child === undefined) {
        // A name may be much longer than its path: `./././x`.
        this.#count(parent, isLast ? Math.max(characters, shown.length - 1) : characters, shown);
        child = node(segment, isLast ? kind : 'directory', shown, !isLast);
        parent.children.set(key, child);
      } else {
        const path = [...segments.slice(0, depth), child.segment].join('/');
        refuseUnlessSame(child, path, segment, isLast ? kind : 'directory', shown, depth);
        if (isLast && !child.implied) {
          throw refused(shown, 'is a duplicate: the archive names it twice');
        }
        if (isLast) child.implied = false;
      }
      parent = child;
    }
  }

  /** Counts what is new in `parent`: the same whatever the order, and whichever directories the archive names. */
  #count(parent: Node, characters: number, shown: string): void {
    this.#characters += characters;
    // What comes first into a directory takes its place among the entries.
    if (parent.children.size === 0 && parent !== this.#root) this.#directories += 1;
    else this.#entries += 1;
    if (this.#characters > MOST_PATH_CHARACTERS) {
      throw refused(
        shown,
        `with this entry the names are longer than ${MOST_PATH_CHARACTERS} characters`,
      );
    }
    if (this.#entries > MOST_ENTRIES) {
      throw refused(
        shown,
        `the archive has more than ${MOST_ENTRIES} entries; this is the first too many`,
      );
    }
    if (this.#directories > MOST_DIRECTORIES) throw refused(shown, 'too many directories');
  }

  /** Finds the pack when all paths are there; throws `ArchiveRefused` where something else is at its top. */
  findPack(): PackRoot {
    const wrapper = wrapperIn(this.#root);
    if (wrapper !== null) {
      for (const stray of this.#root.children.values()) {
        if (stray !== wrapper) throw refusedStray(stray);
      }
    }
    const root = wrapper ?? this.#root;
    for (const child of root.children.values()) {
      const expected = TOP_LEVEL.get(child.segment);
      if (expected === undefined) throw refusedStray(child);
      if (expected !== child.kind) {
        throw refused(child.shown, `${child.segment} must be a ${expected}`);
      }
    }
    return { depth: wrapper === null ? 0 : 1, directories: [...directoriesIn(root.children, '')] };
  }
}

/** The one directory around the whole pack, or null where there is none. */
function wrapperIn({ children }: Node): Node | null {
  if (children.has('PACK.YAML')) return null;
  const tops = [...children.values()];
  // A pack's own directory may be named `data`; then nothing is beside it.
  const wrappers = tops.filter(
    (top) => top.children.has('PACK.YAML') && (tops.length === 1 || !TOP_LEVEL.has(top.segment)),
  );
  if (wrappers.length === 1) return wrappers[0] ?? null;
  const [only] = tops;
  const isStrange = only?.kind === 'directory' && !TOP_LEVEL.has(only.segment);
  return tops.length === 1 && isStrange ? only : null;
}

function* directoriesIn(
  entries: ReadonlyMap<string, Node>,
  prefix: string,
): Generator<string, void> {
  for (const { kind, segment, children } of entries.values()) {
    if (kind === 'file') continue;
    yield prefix + segment;
    yield* directoriesIn(children, `${prefix}${segment}/`);
  }
}

function refuseUnlessSame(
  there: Node,
  path: string,
  segment: string,
  kind: Kind,
  shown: string,
  depth: number,
): void {
  if (there.segment !== segment) {
    if (depth === 0 && TOP_LEVEL.has(there.segment)) throw refused(shown, NOT_ALLOWED);
    throw refused(
      shown,
      `differs from "${path}" only in upper and lower case, which macOS and Windows do not tell apart`,
    );
  }
  if (there.kind === kind) return;
  const expected = depth === 0 ? TOP_LEVEL.get(segment) : undefined;
  if (expected !== undefined) throw refused(shown, `${segment} must be a ${expected}`);
  throw refused(shown, `"${path}" is a file and a directory at once`);
}

const node = (segment: string, kind: Kind, shown: string, implied: boolean): Node => ({
  segment,
  kind,
  shown,
  implied,
  children: new Map(),
});

/**
 * macOS and Windows do not tell A from a, so the second would overwrite the first there; nor does macOS ß from ss,
 * or σ from ς, for which lower case alone is not enough. A dotless ı it does tell from i, unlike `toUpperCase`.
 */
const caseFolded = (segment: string): string =>
  segment.replace(/[^\u0131]+/g, (part) => part.toLowerCase().toUpperCase()).normalize('NFC');

const NOT_ALLOWED = `is not allowed at the top of a pack; only ${ALLOWED} are`;

const refusedStray = ({ shown }: Node): ArchiveRefused =>
  refused(shown.replace(/\/$/, ''), NOT_ALLOWED);

const refused = (shown: string, message: string): ArchiveRefused =>
  new ArchiveRefused(entryProblemPath(shown), message);
