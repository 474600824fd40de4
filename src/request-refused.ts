import { type RefusalCode, refusals } from './outcomes.ts';

/** A request that cannot be carried out as it was sent; code and message are for the caller. */
export class RequestRefused extends Error {
  readonly code: RefusalCode;
  readonly status: number;

  /** @param status where HTTP has a word for it that says more than that of the code */
  constructor(code: RefusalCode, message: string, status: number = refusals[code]) {
    super(message);
    this.name = 'RequestRefused';
    this.code = code;
    this.status = status;
  }
}
