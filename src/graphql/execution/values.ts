/** A value now or later. */
export type Maybe<Value> = Value | Promise<Value>;

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

export const isPromise = (value: unknown): value is Promise<unknown> =>
  isObject(value) && 'then' in value && typeof value.then === 'function';

export const isIterable = (value: unknown): value is Iterable<unknown> =>
  isObject(value) && Symbol.iterator in value;

/** Undefined where there is nothing that has properties. */
export const propertyOf = (source: unknown, name: string): unknown =>
  isObject(source) || typeof source === 'function' ? Reflect.get(source, name) : undefined;
