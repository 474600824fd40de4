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

/** A pack has 10,000 entries at most; an image that any tool made may have more around it. */
const MOST_NODES = 20_000;
const MOST_NAME_BYTES = 4 * 1024 * 1024;

/** The files of an image, as its layers make them, the lowest first. Throws `ImageRefused` beyond its bounds. */
export class ImageTree {
  readonly #root: Node = directory(0);
  #nodes = 0;
  #nameBytes = 0;

  /** Takes what one entry of a layer says; `file` is given for one of kind `file`. */
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
    for (const segment of segments) parent = this.#directoryIn(parent, segment, layer);
    if (entry.kind === 'directory') this.#directoryIn(parent, name, layer).layer = layer;
    else this.#put(parent, name, { file, children: null, layer });
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

  #directoryIn(parent: Node, name: string, layer: number): Node {
    const there = parent.children?.get(name);
    return there !== undefined && there.children !== null
      ? there
      : this.#put(parent, name, directory(layer));
  }

  #put({ children }: Node, name: string, node: Node): Node {
    this.#nodes += 1;
    this.#nameBytes += name.length + (node.file?.path.length ?? 0);
    if (this.#nodes > MOST_NODES || this.#nameBytes > MOST_NAME_BYTES) {
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
