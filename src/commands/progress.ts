/** How far a command has come, on a terminal alone: what a program reads stays as it is. */
export interface Progress {
  show(text: string): void;
  /** Removes the line, so that others can be printed. */
  clear(): void;
}

/** Steps between one look and the next. */
const EVERY = 100;

export function progressOn(stream: {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}): Progress {
  if (stream.isTTY !== true) return { show: () => undefined, clear: () => undefined };
  let steps = 0;
  return {
    show(text) {
      if (steps++ % EVERY === 0) stream.write(`${CLEARED}${text}`);
    },
    clear: () => void stream.write(CLEARED),
  };
}

/** To the beginning of the line, and all of it empty (ECMA-48, EL). */
const CLEARED = '\r\u001b[K';
