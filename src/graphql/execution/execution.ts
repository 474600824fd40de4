/** One run of an operation by its plan; GraphQL specification, section 6. */
import {
  defaultTypeResolver,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLAbstractType,
  type GraphQLError,
  type GraphQLIsTypeOfFn,
  type GraphQLObjectType,
  type GraphQLResolveInfo,
  type GraphQLSchema,
  getArgumentValues,
  isObjectType,
  locatedError,
  OperationTypeNode,
} from 'graphql';
import { type Path, pathOf, stepsOf } from './path.ts';
import type { Completion, FieldPlan, OperationPlan, SelectionPlan, Variables } from './plan.ts';
import { isIterable, isPromise, type Maybe, propertyOf } from './values.ts';

type Answer = Record<string, unknown>;

export class Execution {
  readonly #plan: OperationPlan;
  readonly #schema: GraphQLSchema;
  readonly #context: unknown;
  readonly #root: unknown;
  readonly #variables: Variables;
  /** By the fields' slots. */
  readonly #arguments: Answer[] = [];
  readonly #errors: GraphQLError[] = [];
  readonly #failedAt = new Set<Path | undefined>();

  constructor(plan: OperationPlan, args: ExecutionArgs, variables: Variables) {
    this.#plan = plan;
    this.#schema = args.schema;
    this.#context = args.contextValue;
    this.#root = args.rootValue;
    this.#variables = variables;
  }

  run(): Maybe<ExecutionResult> {
    const { operation, selection } = this.#plan;
    try {
      const data =
        operation.operation === OperationTypeNode.MUTATION
          ? this.#serially(selection)
          : this.#fields(selection, this.#root, undefined);
      if (!isPromise(data)) return this.#result(data);
      return data.then(
        (settled) => this.#result(settled),
        (error: unknown) => this.#failed(error),
      );
    } catch (error) {
      return this.#failed(error);
    }
  }

  #result(data: Answer | null): ExecutionResult {
    return this.#errors.length === 0 ? { data } : { errors: this.#errors, data };
  }

  #failed(error: unknown): ExecutionResult {
    // What got this far was located on its way.
    this.#record(error as GraphQLError, undefined);
    return this.#result(null);
  }

  /** An error below what has become null already is not told (specification, 6.4.4). */
  #record(error: GraphQLError, path: Path | undefined): void {
    for (let at = path; at !== undefined; at = at.prev) if (this.#failedAt.has(at)) return;
    if (this.#failedAt.has(undefined)) return;
    this.#failedAt.add(path);
    this.#errors.push(error);
  }

  async #serially(selection: SelectionPlan): Promise<Answer> {
    const answer = newAnswer(selection);
    for (const field of selection.fields)
      answer[field.key] = await this.#field(field, this.#root, undefined);
    return answer;
  }

  // What is done for every value is kept apart from what waits: a function that holds a closure makes room for what it
  // holds on to each time that it is called.
  #fields(selection: SelectionPlan, source: unknown, path: Path | undefined): Maybe<Answer> {
    const answer = newAnswer(selection);
    let pending: Promise<void>[] | undefined;
    try {
      for (const field of selection.fields) {
        const value = this.#field(field, source, path);
        // In its place at once, so that the keys keep their order.
        answer[field.key] = value;
        if (!isPromise(value)) continue;
        pending ??= [];
        pending.push(fillIn(answer, field.key, value));
      }
    } catch (error) {
      if (pending === undefined) throw error;
      return failAfter(pending, error);
    }
    return pending === undefined ? answer : answerAfter(pending, answer);
  }

  #field(field: FieldPlan, source: unknown, parent: Path | undefined): unknown {
    const { completion, definition, resolve } = field;
    if (resolve === undefined && completion.kind === 'leaf') {
      const value = propertyOf(source, definition.name);
      if (typeof value !== 'function' && !isPromise(value))
        return this.#plainLeaf(field, completion, value, parent);
    }
    return this.#resolved(field, source, pathOf(field, parent));
  }

  #resolved(field: FieldPlan, source: unknown, path: Path): unknown {
    const { completion, resolve } = field;
    let value: unknown;
    try {
      value =
        resolve === undefined
          ? this.#property(field, source, path)
          : resolve(source, this.#argumentsOf(field), this.#context, this.#info(field, path));
    } catch (error) {
      return this.#fail(completion, field, path, error);
    }
    return this.#completed(completion, field, path, value);
  }

  /** Completes what a field or an item of a list has resolved to, now or later; an error ends there if it may. */
  #completed(completion: Completion, field: FieldPlan, path: Path, value: unknown): unknown {
    try {
      const completed = isPromise(value)
        ? this.#completeLater(completion, field, path, value)
        : this.#complete(completion, field, path, value);
      return isPromise(completed) ? this.#failLater(completion, field, path, completed) : completed;
    } catch (error) {
      return this.#fail(completion, field, path, error);
    }
  }

  #completeLater(
    completion: Completion,
    field: FieldPlan,
    path: Path,
    value: Promise<unknown>,
  ): Promise<unknown> {
    return value.then((result) => this.#complete(completion, field, path, result));
  }

  #failLater(
    completion: Completion,
    field: FieldPlan,
    path: Path,
    completed: Promise<unknown>,
  ): Promise<unknown> {
    return completed.then(undefined, (error) => this.#fail(completion, field, path, error));
  }

  /** Almost all of most answers; where it is matters only when it fails. */
  #plainLeaf(field: FieldPlan, leaf: Completion, value: unknown, parent: Path | undefined) {
    try {
      return this.#complete(leaf, field, undefined, value);
    } catch (error) {
      return this.#fail(leaf, field, pathOf(field, parent), error);
    }
  }

  /** As `defaultFieldResolver` reads it. */
  #property(field: FieldPlan, source: unknown, path: Path): unknown {
    const value = propertyOf(source, field.definition.name);
    return typeof value === 'function'
      ? value.call(source, this.#argumentsOf(field), this.#context, this.#info(field, path))
      : value;
  }

  /** @param path of the value; leaves do without */
  #complete(
    completion: Completion,
    field: FieldPlan,
    path: Path | undefined,
    value: unknown,
  ): unknown {
    if (value instanceof Error) throw value;
    if (value === null || value === undefined) {
      if (!completion.isNonNull) return null;
      throw new Error(`Cannot return null for non-nullable field ${nameOf(field)}.`);
    }
    switch (completion.kind) {
      case 'leaf': {
        const { type } = completion;
        const serialized: unknown = type.serialize(value);
        if (serialized !== null && serialized !== undefined) return serialized;
        throw new Error(`${type} serialized a value of ${nameOf(field)} as nothing.`);
      }
      case 'list':
        return this.#list(completion.item, field, path, value);
      case 'object':
        return this.#object(completion.type, field, path, value);
      case 'abstract':
        return this.#abstract(completion.type, field, path, value);
    }
  }

  #list(item: Completion, field: FieldPlan, path: Path | undefined, list: unknown): unknown {
    if (!isIterable(list)) {
      throw new Error(`Expected a list for ${nameOf(field)}.`);
    }
    const values: readonly unknown[] = Array.isArray(list) ? list : Array.from(list);
    const completed: unknown[] = [];
    let pending: Promise<unknown>[] | undefined;
    try {
      for (let index = 0; index < values.length; index += 1) {
        const at: Path = { prev: path, key: index, typename: undefined };
        const value = this.#completed(item, field, at, values[index]);
        completed.push(value);
        if (!isPromise(value)) continue;
        pending ??= [];
        pending.push(value);
      }
    } catch (error) {
      // The others go on and may fail as well; unheard, their rejections would end the process.
      for (const other of pending ?? []) other.catch(() => undefined);
      throw error;
    }
    return pending === undefined ? completed : Promise.all(completed);
  }

  #object(
    type: GraphQLObjectType,
    field: FieldPlan,
    path: Path | undefined,
    value: unknown,
  ): unknown {
    return type.isTypeOf == null
      ? this.#fields(field.selectionOn(type), value, path)
      : this.#objectOfType(type, type.isTypeOf, field, path, value);
  }

  #objectOfType(
    type: GraphQLObjectType,
    isTypeOf: GraphQLIsTypeOfFn<unknown, unknown>,
    field: FieldPlan,
    path: Path | undefined,
    value: unknown,
  ): unknown {
    const complete = (isOfType: boolean) => {
      if (isOfType) return this.#fields(field.selectionOn(type), value, path);
      throw new Error(`${nameOf(field)} is no ${type}.`);
    };
    const isOfType = isTypeOf(value, this.#context, this.#info(field, path));
    return isPromise(isOfType) ? isOfType.then(complete) : complete(isOfType);
  }

  #abstract(
    type: GraphQLAbstractType,
    field: FieldPlan,
    path: Path | undefined,
    value: unknown,
  ): unknown {
    const resolveType = type.resolveType ?? defaultTypeResolver;
    const complete = (name: unknown) =>
      this.#object(this.#runtimeType(type, field, name), field, path, value);
    const name = resolveType(value, this.#context, this.#info(field, path), type);
    return isPromise(name) ? name.then(complete) : complete(name);
  }

  #runtimeType(type: GraphQLAbstractType, field: FieldPlan, name: unknown): GraphQLObjectType {
    const found = typeof name === 'string' ? this.#schema.getType(name) : undefined;
    if (isObjectType(found) && this.#schema.isSubType(type, found)) return found;
    throw new Error(`${nameOf(field)} resolved to ${String(name)}, which is no ${type}.`);
  }

  #fail(completion: Completion, field: FieldPlan, path: Path, raw: unknown): null {
    const error = locatedError(raw, field.nodes, stepsOf(path));
    if (completion.isNonNull) throw error;
    this.#record(error, path);
    return null;
  }

  /** Arguments that variables decide are the same for every item of a list. */
  #argumentsOf(field: FieldPlan): Answer {
    if (field.args !== undefined) return field.args;
    const known = this.#arguments[field.slot];
    if (known !== undefined) return known;
    const args = getArgumentValues(field.definition, field.node, this.#variables);
    this.#arguments[field.slot] = args;
    return args;
  }

  #info(field: FieldPlan, path: Path | undefined): GraphQLResolveInfo {
    const { operation, fragments } = this.#plan;
    // The type is graphql 17's too, by a declaration of Yoga's tools: two further functions, which 16 does not have.
    return {
      fieldName: field.definition.name,
      fieldNodes: field.nodes,
      returnType: field.definition.type,
      parentType: field.parentType,
      // Only a leaf is completed without its place, and asks for no type.
      path: path as Path,
      schema: this.#schema,
      fragments,
      rootValue: this.#root,
      operation,
      variableValues: this.#variables,
    } as GraphQLResolveInfo;
  }
}

async function fillIn(answer: Answer, key: string, value: Promise<unknown>): Promise<void> {
  answer[key] = await value;
}

const answerAfter = (pending: readonly Promise<void>[], answer: Answer): Promise<Answer> =>
  Promise.all(pending).then(() => answer);

/** The others go on and may fail as well, which is heard here. */
async function failAfter(pending: readonly Promise<void>[], error: unknown): Promise<never> {
  await Promise.all(pending).catch(() => undefined);
  throw error;
}

const nameOf = ({ parentType, definition }: FieldPlan): string =>
  `${parentType.name}.${definition.name}`;

/** Objects without a prototype are slow, and needed only for the one alias that an ordinary object cannot hold. */
const newAnswer = ({ hasProto }: SelectionPlan): Answer => (hasProto ? Object.create(null) : {});
