/**
 * For `initdb`: a database that holds every text, whatever locale the machine has. A bare one has none, and makes
 * `SQL_ASCII`.
 */
export const EVERY_TEXT = [
  ...['--encoding=UTF8', '--locale=C'],
  ...['--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
];
