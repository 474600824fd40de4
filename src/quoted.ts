const LONGEST_QUOTE = 100;

/** A caller's own text in a message to him: in quotes, and no more of it than tells him which one is meant. */
export const quoted = (text: string): string =>
  JSON.stringify(
    text.length <= LONGEST_QUOTE ? text : `${text.slice(0, LONGEST_QUOTE).toWellFormed()}…`,
  );
