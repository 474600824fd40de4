import { preferred } from '../http/accept.ts';

/** The media types of an answer that is one JSON text, the one for callers without a wish first. */
const types = ['application/json', 'application/graphql-response+json'] as const;
export type AnswerType = (typeof types)[number];

/** The one that a request asks for; null where it takes neither. */
export const answerType = ({ headers }: Request): AnswerType | null =>
  preferred(headers.get('accept'), types);
