/** What an operation asks for, in numbers: counted on the document, with fragments as often as they are spread. */
import {
  __Schema,
  __Type,
  type DocumentNode,
  type FieldNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  getNullableType,
  isCompositeType,
  isInterfaceType,
  isListType,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
} from 'graphql';
import { DEFAULT_PAGE_SIZE } from '../../page.ts';
import type { Variables } from '../execution/plan.ts';
import { type Amount, nothing, plus, times } from './amount.ts';
import { type Argument, argumentOf } from './argument-value.ts';
import { frameOf, measureIntrospection } from './measure-introspection.ts';
import { bytesOf, priceOf } from './price.ts';

/** Items that a list without a page size is taken to have: problems of a form. */
const ASSUMED_LIST_SIZE = 2;
/** The name of a type (`__typename`), in quotes. */
const BYTES_OF_A_TYPE = 40;

export interface OperationMeasure {
  readonly depth: number;
  readonly rootFields: number;
  readonly pageSize: number;
  readonly representations: number;
  /** Of an answer in which every list is full. */
  readonly amount: Amount;
  /** Whether other variables could give other numbers. */
  readonly dependsOnVariables: boolean;
}

/** Of one selection set. What a connection's items cost is kept apart, as only the field above knows how many. */
interface Selected {
  readonly fields: number;
  readonly depth: number;
  readonly once: Amount;
  readonly perItem: Amount;
  /** Of a connection: whether its page is read, and not only counted how many items there are on all of them. */
  readonly readsPage: boolean;
}

const NOTHING: Selected = {
  fields: 0,
  depth: 0,
  once: nothing,
  perItem: nothing,
  readsPage: false,
};

/** Measures an operation of a document that need not be valid; takes time in proportion to the document's length. */
export function measureOperation(
  schema: GraphQLSchema,
  document: DocumentNode,
  operation: OperationDefinitionNode,
  variables: Variables,
): OperationMeasure {
  let pageSize = 0;
  let representations = 0;
  let dependsOnVariables = false;
  // Each fragment is measured once, however often it is spread; one that contains itself counts as empty inside.
  const fragments = new Map<string, Selected>();

  const argument = (field: FieldNode, name: string): Argument => {
    const found = argumentOf(field, name, operation, variables);
    dependsOnVariables ||= found.isVariable;
    return found;
  };

  function select(set: SelectionSetNode, type: GraphQLNamedType | undefined): Selected {
    return set.selections.map((selection) => selected(selection, type)).reduce(sum, NOTHING);
  }

  function selected(
    selection: SelectionSetNode['selections'][number],
    type: GraphQLNamedType | undefined,
  ): Selected {
    switch (selection.kind) {
      case Kind.FIELD:
        return field(selection, type);
      case Kind.INLINE_FRAGMENT: {
        const condition = selection.typeCondition?.name.value;
        return select(
          selection.selectionSet,
          condition === undefined ? type : schema.getType(condition),
        );
      }
      case Kind.FRAGMENT_SPREAD:
        return fragment(selection.name.value);
    }
  }

  function fragment(name: string): Selected {
    const known = fragments.get(name);
    if (known !== undefined) return known;
    fragments.set(name, NOTHING);
    const definition = document.definitions.find(
      (one) => one.kind === Kind.FRAGMENT_DEFINITION && one.name.value === name,
    );
    if (definition?.kind !== Kind.FRAGMENT_DEFINITION) return NOTHING;
    const { selectionSet, typeCondition } = definition;
    const measured = select(selectionSet, schema.getType(typeCondition.name.value));
    fragments.set(name, measured);
    return measured;
  }

  function field(node: FieldNode, parent: GraphQLNamedType | undefined): Selected {
    const definition = definitionOf(node.name.value, parent);
    const type = definition === undefined ? undefined : getNamedType(definition.type);
    const measured = (depth: number, once: Amount, perItem = nothing): Selected => ({
      fields: 1,
      depth: 1 + depth,
      once,
      perItem,
      readsPage: node.name.value !== 'totalCount' && node.name.value !== TypeNameMetaFieldDef.name,
    });
    const own = {
      fields: 1,
      rows: definition === undefined ? 0 : rowsOf(definition),
      bytes: frameOf(node) + (definition === undefined ? BYTES_OF_A_TYPE : bytesOf(definition)),
      counted: definition === undefined ? 0 : (priceOf(definition).counted ?? 0),
    };
    if (node.selectionSet === undefined) return measured(0, own);
    if (definition === SchemaMetaFieldDef) {
      return measured(0, plus(own, introspected(node.selectionSet, __Schema, schema)));
    }
    if (definition === TypeMetaFieldDef) {
      const { value } = argument(node, 'name');
      const named = typeof value === 'string' ? schema.getType(value) : undefined;
      const below = named === undefined ? nothing : introspected(node.selectionSet, __Type, named);
      return measured(0, plus(own, below));
    }
    const below = select(node.selectionSet, type);
    const one = plus(own, below.once);
    if (definition === undefined || !isCompositeType(type)) return measured(below.depth, one);
    if (definition.args.some(({ name }) => name === 'first')) {
      const items = itemsOf(node, definition);
      const page = { ...nothing, rows: below.readsPage ? items + 1 : 0 };
      return measured(below.depth, plus(plus(one, page), times(items, below.perItem)));
    }
    if (!isListType(getNullableType(definition.type))) return measured(below.depth, one);
    if (parent?.name.endsWith('Connection')) return measured(below.depth, nothing, one);
    return measured(below.depth, times(lengthOf(node, definition), one));
  }

  const introspected = (set: SelectionSetNode, type: GraphQLObjectType, value: unknown): Amount =>
    measureIntrospection(schema, document, set, type, value);

  function itemsOf(node: FieldNode, { args }: GraphQLField<unknown, unknown>): number {
    const sizes = ['first', 'last']
      .map((name) => {
        const { value } = argument(node, name);
        return value === undefined ? args.find((arg) => arg.name === name)?.defaultValue : value;
      })
      // What is no number is an error later on, or null: a page of the usual size.
      .filter((size): size is number => typeof size === 'number' && size >= 0);
    pageSize = Math.max(pageSize, ...sizes);
    return sizes.length === 0 ? DEFAULT_PAGE_SIZE : Math.max(...sizes);
  }

  function lengthOf(node: FieldNode, definition: GraphQLField<unknown, unknown>): number {
    const name = namedBy(definition);
    if (name === undefined) return ASSUMED_LIST_SIZE;
    const { value } = argument(node, name);
    const length = Array.isArray(value) ? value.length : 1;
    if (name === 'ids') pageSize = Math.max(pageSize, length);
    else representations = Math.max(representations, length);
    return length;
  }

  const root = select(operation.selectionSet, schema.getRootType(operation.operation) ?? undefined);
  return {
    depth: root.depth,
    rootFields: root.fields,
    pageSize,
    representations,
    amount: root.once,
    dependsOnVariables,
  };
}

function sum(a: Selected, b: Selected): Selected {
  return {
    fields: a.fields + b.fields,
    depth: Math.max(a.depth, b.depth),
    once: plus(a.once, b.once),
    perItem: plus(a.perItem, b.perItem),
    readsPage: a.readsPage || b.readsPage,
  };
}

/** The argument that names each item of a field's list: of `_entities` and `nodes`. */
const namedBy = ({ args }: GraphQLField<unknown, unknown>) =>
  (['representations', 'ids'] as const).find((list) => args.some(({ name }) => name === list));

/** The rows of a page come on top. */
const rowsOf = (field: GraphQLField<unknown, unknown>): number =>
  priceOf(field).rows ?? (namedBy(field) === undefined ? 0 : 1);

function definitionOf(
  name: string,
  parent: GraphQLNamedType | undefined,
): GraphQLField<unknown, unknown> | undefined {
  if (name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef;
  if (name === TypeMetaFieldDef.name) return TypeMetaFieldDef;
  return isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined;
}
