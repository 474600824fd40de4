/** What an operation asks for, in numbers: counted on the document, with fragments as often as they are spread. */
import {
  __Schema,
  type DocumentNode,
  type FieldNode,
  type GraphQLField,
  type GraphQLNamedType,
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
} from 'graphql';
import { DEFAULT_PAGE_SIZE } from '../../page.ts';
import { type Argument, argumentOf, type Variables } from './argument-value.ts';

/** Items that a list without a page size is taken to have: problems of a form, or the arguments of a field. */
const ASSUMED_LIST_SIZE = 2;

export interface OperationMeasure {
  readonly depth: number;
  readonly rootFields: number;
  readonly pageSize: number;
  readonly representations: number;
  readonly cost: number;
  /** Whether other variables could give other numbers. */
  readonly dependsOnVariables: boolean;
}

/** Of one selection set. What a connection's items cost is kept apart, as only the field above knows how many. */
interface Selected {
  readonly fields: number;
  readonly depth: number;
  readonly cost: number;
  readonly costPerItem: number;
}

const NOTHING: Selected = { fields: 0, depth: 0, cost: 0, costPerItem: 0 };

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
    if (node.selectionSet === undefined) return { ...NOTHING, fields: 1, depth: 1, cost: 1 };
    const below = select(node.selectionSet, type);
    const depth =
      definition === SchemaMetaFieldDef || definition === TypeMetaFieldDef ? 0 : below.depth;
    const one = 1 + below.cost;
    if (definition === undefined || !isCompositeType(type)) {
      return { fields: 1, depth: 1 + depth, cost: one, costPerItem: 0 };
    }
    if (definition.args.some(({ name }) => name === 'first')) {
      const cost = one + itemsOf(node, definition) * below.costPerItem;
      return { fields: 1, depth: 1 + depth, cost, costPerItem: 0 };
    }
    if (!isListType(getNullableType(definition.type))) {
      return { fields: 1, depth: 1 + depth, cost: one, costPerItem: 0 };
    }
    if (parent?.name.endsWith('Connection')) {
      return { fields: 1, depth: 1 + depth, cost: 0, costPerItem: one };
    }
    return { fields: 1, depth: 1 + depth, cost: one * lengthOf(node, definition), costPerItem: 0 };
  }

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
    if (definition === __Schema.getFields().types) return Object.keys(schema.getTypeMap()).length;
    if (!definition.args.some(({ name }) => name === 'representations')) return ASSUMED_LIST_SIZE;
    const { value } = argument(node, 'representations');
    const length = Array.isArray(value) ? value.length : 1;
    representations = Math.max(representations, length);
    return length;
  }

  const root = select(operation.selectionSet, schema.getRootType(operation.operation) ?? undefined);
  return {
    depth: root.depth,
    rootFields: root.fields,
    pageSize,
    representations,
    cost: root.cost,
    dependsOnVariables,
  };
}

function sum(a: Selected, b: Selected): Selected {
  return {
    fields: clamped(a.fields + b.fields),
    depth: Math.max(a.depth, b.depth),
    cost: clamped(a.cost + b.cost),
    costPerItem: clamped(a.costPerItem + b.costPerItem),
  };
}

/** Fragments that spread each other grow exponentially, and Infinity is no JSON. */
const clamped = (count: number): number => Math.min(count, Number.MAX_SAFE_INTEGER);

function definitionOf(
  name: string,
  parent: GraphQLNamedType | undefined,
): GraphQLField<unknown, unknown> | undefined {
  if (name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef;
  if (name === TypeMetaFieldDef.name) return TypeMetaFieldDef;
  return isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[name] : undefined;
}
