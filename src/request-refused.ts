import type { RefusalCode } from './outcomes.ts';

/** A request that cannot be carried out as it was sent; code and message are for the caller. */
export class RequestRefused extends Error {
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string) {
    super(message);
    this.name = 'RequestRefused';
    this.code = code;
  }
}
