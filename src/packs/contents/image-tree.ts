import { MOST_NODES, MOST_PATH_CHARACTERS } from '../archive/pack-tree.ts';
import { ImageRefused } from './image-refused.ts';
import type { LayerEntry } from './layer-entries.ts';

/** A regular file of an image; its bytes are in the contents file. */
export interface ImageFile {
  /** Relative to the pack, with `/`. */
  readonly path: string;
  readonly size: number;
  readonly executable: boolean;
  /** Where its bytes start in the contents file. */
  readonly offset: number;
  /** Of its bytes, SHA-256 in base64url. */
  readonly hash: string;
}

interface Node {
  /** Null: a directory, or a link or device. */
  file: ImageFile | null;
  /** Null: no directory. */
  children: Map<string, Node> | null;
  /** The layer that speaks of it last. */
  layer: number;
}

/**
 * The files of an image, as its layers make them, the lowest first. Throws `ImageRefused` beyond the bounds of archives,
 * within which its paths cost at most 8 MB.
 */
export class ImageTree {
  readonly #root: Node = directory(0);
  #nodes = 0;
  #characters = 0;

  /** Takes what one entry of a layer says; `file` is given for one of kind `file`, and for a hard link to one. */
  apply(entry: LayerEntry, layer: number, file: ImageFile | null): void {
    const segments = entry.path === '' ? [] : entry.path.split('/');
    if (entry.kind === 'opaque') {
      const node = this.#find(segments);
      if (node !== null) hideBelow(node, layer);
      return;
    }
    const name = segments.pop();
    if (name === undefined) return;
    if (entry.kind === 'whiteout') {
      const parent = this.#find(segments)?.children;
      const node = parent?.get(name);
      if (node !== undefined && hide(node, layer)) parent?.delete(name);
      return;
    }
    let parent = this.#root;
    let length = 0;
    for (const segment of segments) {
      length += segment.length;
      parent = this.#directoryIn(parent, segment, length, layer);
      // The slash behind it.
      length += 1;
    }
    length += name.length;
    if (entry.kind === 'directory') this.#directoryIn(parent, name, length, layer).layer = layer;
    else this.#put(parent, name, length, { file, children: null, layer });
  }

  /** The file at a path, if there is one. */
  fileAt(path: string): ImageFile | null {
    return this.#find(path.split('/'))?.file ?? null;
  }

  /** By path. */
  files(): ImageFile[] {
    return [...walk(this.#root)]
      .flatMap(({ node }) => (node.file === null ? [] : [node.file]))
      .sort((one, other) => (one.path < other.path ? -1 : 1));
  }

  directories(): string[] {
    return [...walk(this.#root)].flatMap(({ path, node }) =>
      node.children === null ? [] : [path],
    );
  }

  #find(segments: readonly string[]): Node | null {
    let node: Node | undefined = this.#root;
    for (const segment of segments) node = node?.children?.get(segment);
    return node ?? null;
  }

  #directoryIn(parent: Node, name: string, pathLength: number, layer: number): Node {
    const there = parent.children?.get(name);
    return there !== undefined && there.children !== null
      ? there
      : this.#put(parent, name, pathLength, directory(layer));
  }

  #put({ children }: Node, name: string, pathLength: number, node: Node): Node {
    this.#nodes += 1;
    this.#characters += pathLength;
    if (this.#nodes > MOST_NODES || this.#characters > MOST_PATH_CHARACTERS) {
      throw new ImageRefused(`an image of more than ${MOST_NODES} entries, or with longer names`);
    }
    children?.set(name, node);
    return node;
  }
}

const directory = (layer: number): Node => ({ file: null, children: new Map(), layer });

/** Takes away what lower layers made in a directory. */
function hideBelow({ children }: Node, layer: number): void {
  for (const [name, child] of children ?? []) {
    if (hide(child, layer)) children?.delete(name);
  }
}

/** Takes away what lower layers made of a node; false: something of this very layer is left, which it does not touch. */
function hide(node: Node, layer: number): boolean {
  hideBelow(node, layer);
  return node.layer < layer && (node.children === null || node.children.size === 0);
}

function* walk(root: Node): Generator<{ readonly path: string; readonly node: Node }> {
  const waiting = [{ path: '', node: root }];
  for (let item = waiting.pop(); item !== undefined; item = waiting.pop()) {
    if (item.path !== '') yield item;
    for (const [name, node] of item.node.children ?? []) {
      waiting.push({ path: item.path === '' ? name : `${item.path}/${name}`, node });
    }
  }
}
