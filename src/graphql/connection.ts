/** Relay connections over keyset pages. */
import type { ObjectRef } from '@pothos/core';
import { cursorOf, type Page } from '../page.ts';
import { builder, type PothosTypes } from './builder.ts';

builder.globalConnectionField('totalCount', (t) =>
  t.int({
    description: 'How many items there are on all pages; counted only when asked for.',
    resolve: ({ totalCount }) => totalCount(),
  }),
);

/** An item with its cursor, which is made only for those who ask. */
class Edge<Item extends { readonly id: string }> {
  readonly node: Item;

  constructor(node: Item) {
    this.node = node;
  }

  get cursor(): string {
    return cursorOf(this.node.id);
  }
}

/** What a connection field resolves to. */
export interface Connection<Item extends { readonly id: string }> {
  readonly edges: Edge<Item>[];
  readonly pageInfo: {
    hasNextPage: boolean;
    hasPreviousPage: boolean;
    startCursor: string | null;
    endCursor: string | null;
  };
  readonly totalCount: () => Promise<number>;
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
    },
    {
      name: `${type.name}Edge`,
      description: `One of the ${plural}, with its cursor.`,
      shareable: true,
    },
  );
}

export function toConnection<Item extends { readonly id: string }>(
  page: Page<Item>,
  totalCount: () => Promise<number>,
): Connection<Item> {
  const edges = page.items.map((node) => new Edge(node));
  return {
    edges,
    get pageInfo() {
      return {
        hasNextPage: page.hasNext,
        hasPreviousPage: page.hasPrevious,
        startCursor: edges[0]?.cursor ?? null,
        endCursor: edges.at(-1)?.cursor ?? null,
      };
    },
    totalCount,
  };
}

type ArgumentBuilder = Pick<PothosSchemaTypes.FieldBuilder<PothosTypes, unknown>, 'arg'>;

const sizeDescription = 'How many items, at most 200; 50 when left out.';

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
