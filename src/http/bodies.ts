/** The bodies of requests: whose turn it is to have one read, told by its headers before any of it is read. */
import type { Caller } from '../identity/caller.ts';
import { isGzipped } from './body-stream.ts';
import { mediaTypeOf } from './media-type.ts';
import { MOST_VALUES } from './parse-json.ts';
import { LARGEST_BODY_BYTES, readBody } from './read-body.ts';
import { LARGEST_TEXT_BYTES } from './read-multipart.ts';
import { type Turn, Turns } from './turns.ts';

/** Two bytes for some characters, and once more in what is parsed. */
const BYTES_OF_A_CHARACTER = 4;
/** Of JSON: an object of one field, and its place in another. */
const BYTES_OF_A_VALUE = 100;
/** What any request takes of memory. */
const LEAST_BYTES = 16 * 1024;
/** Characters whose parsing takes milliseconds: a GraphQL document of so many is validated in 20. */
const LONG = 8 * 1024;

/** A body that may be read. Disposed when its request has been answered. */
export interface Body extends Disposable {
  /**
   * All of it, however often it is asked for; one that is long comes in a turn of the event loop that no other long one has.
   * @throws RequestRefused as `readBody` does
   */
  text(): Promise<string>;
}

export class Bodies {
  /** Of one caller at the same time a few bodies that are as large as they can be. */
  readonly #turns = new Turns(4 * weightOfText(LARGEST_BODY_BYTES));
  readonly #loop = new LoopTurns();

  /**
   * Waits for the caller's turn.
   * @throws RequestRefused as `Turns.begin` does, and `unsupported_media_type` for an unknown encoding
   */
  begin(caller: Caller, request: Request): Body | Promise<Body> {
    const turn = this.#turns.begin(caller, weightOf(request));
    return turn instanceof Promise
      ? turn.then((begun) => new BodyInTurn(request, begun, this.#loop))
      : new BodyInTurn(request, turn, this.#loop);
  }
}

class BodyInTurn implements Body {
  readonly #request: Request;
  readonly #turn: Turn;
  readonly #loop: LoopTurns;
  #text: Promise<string> | undefined;

  constructor(request: Request, turn: Turn, loop: LoopTurns) {
    this.#request = request;
    this.#turn = turn;
    this.#loop = loop;
  }

  text(): Promise<string> {
    this.#text ??= this.#read();
    return this.#text;
  }

  [Symbol.dispose](): void {
    this.#turn[Symbol.dispose]();
  }

  async #read(): Promise<string> {
    const text = await readBody(this.#request);
    this.#turn.lighten(weightOfText(text.length));
    if (text.length > LONG) await this.#loop.next();
    return text;
  }
}

/** Turns of the event loop. */
class LoopTurns {
  #last: Promise<void> = Promise.resolve();

  /** One that was promised to nobody else. */
  next(): Promise<void> {
    this.#last = this.#last.then(() => new Promise((resolve) => setImmediate(resolve)));
    return this.#last;
  }
}

const weightOfText = (length: number): number =>
  LEAST_BYTES + BYTES_OF_A_CHARACTER * length + BYTES_OF_A_VALUE * Math.min(length, MOST_VALUES);

/** In bytes of memory, at most. Files go to disk, and the texts beside them are short. */
function weightOf({ headers, method }: Request): number {
  if (method === 'GET' || method === 'HEAD') return LEAST_BYTES;
  const length = isGzipped({ headers }) ? null : headers.get('content-length');
  const bytes = Math.min(Number(length ?? LARGEST_BODY_BYTES), LARGEST_BODY_BYTES);
  const mediaType = mediaTypeOf(headers.get('content-type'));
  if (mediaType === 'multipart/form-data') return weightOfText(LARGEST_TEXT_BYTES);
  const isParsed = /json$|^application\/(?:graphql|x-www-form)/.test(mediaType);
  return isParsed ? weightOfText(bytes) : LEAST_BYTES + bytes;
}
