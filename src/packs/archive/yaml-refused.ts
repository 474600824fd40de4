/** Ends the reading of a YAML text at the first problem that concerns the whole of it. */
export class YamlRefused extends Error {}

/** For what would take its readers down: too deep, or multiplied by aliases ("billion laughs"). */
export const TOO_NESTED =
  'is not valid YAML: it is nested too deeply, or its aliases stand for too much';
