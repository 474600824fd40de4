/** Relay connections over keyset pages. */
import type { ObjectRef } from '@pothos/core';
import { cursorOf, DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, type Page } from '../page.ts';
import { builder, type PothosTypes } from './builder.ts';
import { readsRow } from './limits/price.ts';

builder.globalConnectionField('totalCount', (t) =>
  t.int({
    description: 'How many items there are on all pages; counted only when asked for.',
    ...readsRow(),
    resolve: ({ totalCount }) => totalCount(),
  }),
);

/** What a list says of an item's place in it. */
type CursorOf<Item> = (item: Item) => string;

/** An item with its cursor, which is made only for those who ask. */
class Edge<Item> {
  readonly node: Item;
  readonly #cursorOf: CursorOf<Item>;

  constructor(node: Item, cursorOf: CursorOf<Item>) {
    this.node = node;
    this.#cursorOf = cursorOf;
  }

  get cursor(): string {
    return this.#cursorOf(this.node);
  }
}

/** A page that was read together with something else is there at once. */
type Maybe<Value> = Value | Promise<Value>;

interface PageInfo {
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  readonly startCursor: string | null;
  readonly endCursor: string | null;
}

/**
 * What a connection field resolves to.
 *
 * A class for its getters: one in an object literal would hang, with all that it closes over, on V8's description of
 * the object's shape until the next full collection (bench/README.md).
 */
class Connection<Item> {
  readonly totalCount: () => Promise<number>;
  readonly #read: () => Maybe<Page<Item>>;
  readonly #cursorOf: CursorOf<Item>;
  #page: Maybe<Page<Item>> | null = null;

  constructor(
    read: () => Maybe<Page<Item>>,
    totalCount: () => Promise<number>,
    cursorOf: CursorOf<Item>,
  ) {
    this.totalCount = totalCount;
    this.#read = read;
    this.#cursorOf = cursorOf;
  }

  get nodes(): Maybe<readonly Item[]> {
    return this.#of(({ items }) => items);
  }
  get edges(): Maybe<Edge<Item>[]> {
    return this.#of(({ items }) => items.map((node) => new Edge(node, this.#cursorOf)));
  }
  get pageInfo(): Maybe<PageInfo> {
    return this.#of(({ items, hasNext, hasPrevious }) => {
      const [first] = items;
      const last = items.at(-1);
      return {
        hasNextPage: hasNext,
        hasPreviousPage: hasPrevious,
        startCursor: first === undefined ? null : this.#cursorOf(first),
        endCursor: last === undefined ? null : this.#cursorOf(last),
      };
    });
  }

  /** Reads the page once, whatever is asked of it. */
  #of<Value>(part: (page: Page<Item>) => Value): Maybe<Value> {
    this.#page ??= this.#read();
    return this.#page instanceof Promise ? this.#page.then(part) : part(this.#page);
  }
}

/**
 * Declares `<Type>Connection` and `<Type>Edge`; both may be resolved by neighbours in a supergraph too, which page
 * through the same entities.
 */
export function connectionOf<Item>(type: ObjectRef<PothosTypes, Item>, plural: string) {
  return builder.connectionObject(
    {
      type,
      name: `${type.name}Connection`,
      description: `A page of ${plural}.`,
      shareable: true,
      fields: (t) => ({
        // Not by way of the edges, as the plugin's own field gets them: lists are mostly read without their cursors.
        nodes: t.field({
          type: [type],
          description: 'The items of this page, without their cursors.',
          // What `toConnection` was given; the builder knows one type for the connections of all items.
          resolve: ({ nodes }) => nodes as Maybe<Item[]>,
        }),
      }),
    },
    {
      name: `${type.name}Edge`,
      description: `One of the ${plural}, with its cursor.`,
      shareable: true,
    },
  );
}

/** @param read reads the page, unless nothing but the count is asked for */
export const toConnection = <Item extends { readonly id: string }>(
  read: () => Maybe<Page<Item>>,
  totalCount: () => Promise<number>,
): Connection<Item> => new Connection(read, totalCount, cursorOfId);

const cursorOfId = ({ id }: { readonly id: string }): string => cursorOf(id);

/** A connection of what has no id, over a list with cursors of its own. */
export const toConnectionBy = <Item>(
  read: () => Promise<Page<Item>>,
  totalCount: () => Promise<number>,
  cursorOf: CursorOf<Item>,
): Connection<Item> => new Connection(read, totalCount, cursorOf);

type ArgumentBuilder = Pick<PothosSchemaTypes.FieldBuilder<PothosTypes, unknown>, 'arg'>;

const sizeDescription = `How many items, at most ${MAX_PAGE_SIZE}; ${DEFAULT_PAGE_SIZE} when left out.`;

/** Arguments of a list that is read from its start only. */
export const forwardArguments = (t: ArgumentBuilder, size?: number) => ({
  first: t.arg.int({
    description: sizeDescription,
    ...(size === undefined ? {} : { defaultValue: size }),
  }),
  after: t.arg.string({
    description: 'Only items after this cursor (endCursor of the page before).',
  }),
});

/** Arguments of a list that can be walked both ways. */
export const pageArguments = (t: ArgumentBuilder) => ({
  ...forwardArguments(t),
  last: t.arg.int({ description: 'How many items from the end, instead of first.' }),
  before: t.arg.string({
    description: 'Only items before this cursor (startCursor of the page after).',
  }),
});
