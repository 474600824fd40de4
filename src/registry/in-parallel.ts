/**
 * Works on items, at most so many at once, in the order in which they come: no more of them are held than are being
 * worked on. After a failure no further one is taken, and what was begun is waited for.
 * @param reached told of an item once it and all before it are done
 * @throws what `work`, or the source of the items, threw first
 */
export async function inParallel<T>(
  items: AsyncIterable<T> | Iterable<T>,
  atOnce: number,
  work: (item: T) => Promise<void>,
  reached: (item: T) => void = () => undefined,
): Promise<void> {
  const source = iteratorOf(items);
  const begun: { readonly item: T; isDone: boolean }[] = [];
  let failure: { readonly error: unknown } | null = null;
  const worker = async () => {
    while (failure === null) {
      const next = await source.next();
      if (next.done) return;
      const one = { item: next.value, isDone: false };
      begun.push(one);
      await work(one.item);
      one.isDone = true;
      for (let [first] = begun; first?.isDone; [first] = begun) {
        begun.shift();
        reached(first.item);
      }
    }
  };
  const noted = (error: unknown) => {
    failure ??= { error };
  };
  await Promise.all(Array.from({ length: atOnce }, () => worker().catch(noted)));
  await source.return(undefined);
  // The compiler does not see what closures assign.
  const failed = failure as { readonly error: unknown } | null;
  if (failed !== null) throw failed.error;
}

/** A worker that asks for the next item while another one is waiting for it gets the one after. */
async function* iteratorOf<T>(items: AsyncIterable<T> | Iterable<T>): AsyncGenerator<T, undefined> {
  yield* items;
}
