/** Where a push goes, and what it believes of the answers there. */
import type { CallOptions, Repository } from '../registry.ts';
import { type Answer, contentOf } from './answer.ts';
import type { Result } from './call.ts';
import { CallFailed, failed } from './call-failed.ts';
import type { Client } from './client.ts';

export interface Target {
  readonly client: Client;
  readonly repository: Repository;
  /** Milliseconds: for each request as a whole, for a blob's upload since it last moved. */
  readonly patience: number;
  readonly options: CallOptions;
}

export const isSuccess = ({ status }: Answer): boolean => status >= 200 && status < 300;

/** A "no" to this very request, of which another try or other credentials would change nothing. */
export const isRefusal = ({ status }: Answer): boolean =>
  status === 501 || (status >= 400 && status < 500 && ![401, 408, 429].includes(status));

/** Whether a success is the registry's own: by its digest, or else by a body that is not a web page. */
export const confirms = (result: Result, digest: string): boolean =>
  namesDigest(result, digest) || ['empty', 'json'].includes(contentOf(answered(result)).kind);

/** Whether a success names what it stored. Throws `CallFailed` where that is something else. */
export function namesDigest(result: Result, digest: string): boolean {
  // A proxy that adds the header adds it once more. A digest by another algorithm says nothing that we can compare.
  const said = answered(result).headers['docker-content-digest']?.match(/\bsha256:[0-9a-f]+/g);
  if (!said) return false;
  if (said.every((one) => one === digest)) return true;
  throw new CallFailed(
    failed('REGISTRY_ERROR', true, 'the registry stored something other than what was sent'),
  );
}

export const notStored = () =>
  new CallFailed(
    failed(
      'REGISTRY_ERROR',
      true,
      'a success came back that is not the registry’s own: is a proxy or a login page in between?',
    ),
    true,
  );

export function answered(result: Result) {
  if (result.kind === 'answered') return result.answer;
  throw new CallFailed(
    failed('REGISTRY_ERROR', false, 'the registry has no such repository, and does not create it'),
  );
}
