/** The embedded registry: the port `Registry` on one OCI image layout that holds all repositories. */
import { StartError } from '../../start-error.ts';
import type { CallOptions, Registry, RegistryCall, RegistryFailure } from '../registry.ts';
import { copy } from './copy.ts';
import { failureOf, ImagesLost, LayoutError, permanent } from './failure.ts';
import { ImageLayout } from './image-layout.ts';
import type { ImagesKnown } from './initialise.ts';
import { foreseePurge, purge } from './purge.ts';
import { push } from './push.ts';
import { readBlob, readManifest } from './read.ts';
import { walkImages } from './walk-images.ts';

export interface LayoutRegistryOptions {
  /** Made when it is not there; several processes may share it. */
  readonly directory: string;
  /** Asked before a new layout is made; where images are known none is made, because they must be somewhere else. */
  readonly imagesKnown?: ImagesKnown;
  readonly onCall?: (call: RegistryCall) => void;
}

const NONE: ReadonlySet<never> = new Set();

/**
 * Opens the layout. A disk that refuses does not fail this call but each operation, `check` first of all,
 * until it is repaired: the service can do much without its registry.
 * @throws StartError where images are known and the directory is empty
 */
export async function createLayoutRegistry(options: LayoutRegistryOptions): Promise<Registry> {
  const { directory, imagesKnown = async () => false, onCall } = options;
  let opening: Promise<ImageLayout> | undefined;
  let closed = false;

  const registry: Registry = {
    host: null,
    push: (repository, tag, image, options = {}) =>
      call('PUT image', repository, options.signal, (l) =>
        push(l, repository, tag, image, options),
      ),
    readManifest: (repository, reference, { signal } = {}) =>
      call('GET manifest', repository, signal, (l) =>
        readManifest(l, repository, reference, signal),
      ),
    readBlob: (repository, descriptor, { signal } = {}) =>
      call('GET blob', repository, signal, (l) => readBlob(l, repository, descriptor, signal)),
    copyImage: (from, digest, to, tag, options = {}) =>
      call('COPY image', to, options.signal, (l) => copy(l, from, digest, to, tag, options)),
    purge: (repository, digest, { held = NONE, ...options } = {}) =>
      call('DELETE image', repository, options.signal, (l) =>
        purge(l, repository, digest, held, options),
      ),
    foreseePurge: (repository, digest, { held = NONE, signal } = {}) =>
      call('GET index', repository, signal, (l) => foreseePurge(l, repository, digest, held)),
    walkImages: (namespace, visit, options = {}) =>
      call('GET index', '', options.signal, (l) => walkImages(l, namespace, visit, options)),
    check: ({ signal } = {}) => call('check', '', signal, check),
    async close() {
      closed = true;
      const layout = await opening?.catch(() => undefined);
      opening = undefined;
      await layout?.close();
    },
  };
  await opened().catch((error: unknown) => {
    if (error instanceof ImagesLost) throw notThere(directory, error.mark);
  });
  await registry.check();
  return registry;

  async function opened(): Promise<ImageLayout> {
    if (closed) throw new LayoutError(permanent('The embedded registry is closed.'));
    // Shared by all callers, so no caller's signal may end it.
    opening ??= ImageLayout.open(directory, imagesKnown).catch((error: unknown) => {
      opening = undefined;
      throw error;
    });
    return await opening;
  }

  async function call<T extends { readonly kind: string }>(
    operation: string,
    repository: string,
    signal: CallOptions['signal'],
    work: (layout: ImageLayout) => Promise<T>,
  ): Promise<T | RegistryFailure> {
    const start = performance.now();
    const report = (outcome: RegistryCall['outcome']) =>
      onCall?.({ operation, repository, outcome, milliseconds: performance.now() - start });
    try {
      signal?.throwIfAborted();
      const outcome = await work(await opened());
      report(outcome.kind === 'missing' || outcome.kind === 'already_gone' ? 'missing' : 'ok');
      return outcome;
    } catch (error) {
      const failure = failureOf(error, signal);
      report(failure?.reason ?? 'REGISTRY_ERROR');
      if (failure === undefined) throw error;
      return failure;
    }
  }
}

async function check(layout: ImageLayout): Promise<{ kind: 'ok' }> {
  await layout.probe();
  return { kind: 'ok' };
}

const notThere = (directory: string, mark: string): StartError =>
  new StartError(
    'DATA_DIR',
    `${directory} is empty, but the database knows packs whose images were in it; mount its volume or restore it ` +
      `from a backup, or, if the images are permanently lost, create the file ${mark} to continue without them`,
  );
