/** Longer than any name: what is longer is not one. */
const LONGEST_QUOTE = 100;

/** A caller's own text in a message to that caller: quoted, and cut to what shows which one is meant. */
export const quoted = (text: string): string =>
  JSON.stringify(
    text.length <= LONGEST_QUOTE ? text : `${text.slice(0, LONGEST_QUOTE).toWellFormed()}…`,
  );
