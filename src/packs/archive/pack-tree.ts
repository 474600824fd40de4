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

/** Directories that no entry names but a path implies; bounds memory against 10,000 deep paths. */
const MOST_IMPLIED_DIRECTORIES = 10_000;

interface Node {
  readonly path: string;
  readonly kind: Kind;
  readonly implied: boolean;
}

/**
 * The paths of a pack as they arrive, each checked against those before it.
 *
 * A pack may be archived as its content (`pack.yaml`, `guides/…`) or as its directory (`incident-triage/pack.yaml`, …).
 * Which of both is seen at the first entry: a top-level name that no pack may have is taken for the directory,
 * and from then on everything must live under it.
 */
export class PackTree {
  readonly #nodes = new Map<string, Node>();
  #wrapper: string | null | undefined;
  #implied = 0;

  /** The path inside the pack, or null for a root directory itself; throws `ArchiveRefused`. */
  add(shown: string, segments: readonly string[], kind: Kind): string | null {
    const inside = this.#withoutWrapper(shown, segments, kind);
    const top = inside[0];
    if (top === undefined) {
      if (kind === 'file') throw refused(shown, 'this is a file where the pack has its directory');
      return null;
    }
    this.#checkTopLevel(shown, top, inside.length > 1 ? 'directory' : kind);
    for (let depth = 1; depth < inside.length; depth += 1) {
      this.#place(shown, {
        path: inside.slice(0, depth).join('/'),
        kind: 'directory',
        implied: true,
      });
    }
    const path = inside.join('/');
    this.#place(shown, { path, kind, implied: false });
    return path;
  }

  /** Every directory of the pack, named or implied. */
  directories(): string[] {
    return [...this.#nodes.values()].flatMap(({ kind, path }) =>
      kind === 'directory' ? [path] : [],
    );
  }

  #withoutWrapper(shown: string, segments: readonly string[], kind: Kind): readonly string[] {
    const top = segments[0];
    if (top === undefined) return segments;
    if (this.#wrapper === undefined) {
      const isDirectory = segments.length > 1 || kind === 'directory';
      this.#wrapper = isDirectory && !TOP_LEVEL.has(top) ? top : null;
    }
    if (this.#wrapper === null) return segments;
    if (this.#wrapper === top) return segments.slice(1);
    // Beside `pack.yaml` the first directory turns out to be no wrapper but a stray.
    throw refused(TOP_LEVEL.has(top) ? this.#wrapper : shown, notAllowed);
  }

  #checkTopLevel(shown: string, top: string, kind: Kind): void {
    const expected = TOP_LEVEL.get(top);
    if (expected === undefined) throw refused(shown, notAllowed);
    if (expected !== kind) throw refused(shown, `${top} must be a ${expected}`);
  }

  #place(shown: string, node: Node): void {
    const key = caseFolded(node.path);
    const there = this.#nodes.get(key);
    if (there === undefined) {
      if (node.implied) this.#implied += 1;
      if (this.#implied > MOST_IMPLIED_DIRECTORIES) throw refused(shown, 'too many directories');
      this.#nodes.set(key, node);
      return;
    }
    if (there.path !== node.path) {
      throw refused(
        shown,
        `differs from "${there.path}" only in upper and lower case, which macOS and Windows do not tell apart`,
      );
    }
    if (there.kind !== node.kind) {
      throw refused(shown, `"${node.path}" is a file and a directory at once`);
    }
    if (node.implied) return;
    if (!there.implied) throw refused(shown, 'is a duplicate: the archive names it twice');
    this.#nodes.set(key, node);
  }
}

/**
 * macOS and Windows do not tell A from a, so the second would overwrite the first there; nor does macOS ß from ss,
 * or σ from ς, for which lower case alone is not enough. A dotless ı it does tell from i, unlike `toUpperCase`.
 */
const caseFolded = (path: string): string =>
  path.replace(/[^\u0131]+/g, (part) => part.toLowerCase().toUpperCase()).normalize('NFC');

const notAllowed = `is not allowed at the top of a pack; only ${ALLOWED} are`;

const refused = (shown: string, message: string): ArchiveRefused =>
  new ArchiveRefused(entryProblemPath(shown), message);
