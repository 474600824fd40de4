import { GraphQLError } from 'graphql';
import { SpooledFile } from '../http/spooled-file.ts';
import { moment } from '../input.ts';
import { builder } from './builder.ts';
import { refusal } from './refusal.ts';

builder.scalarType('DateTime', {
  description: 'A moment, as ISO 8601 in UTC: `2026-11-24T09:30:00.000Z`.',
  specifiedByURL: 'https://scalars.graphql.org/andimarek/date-time.html',
  serialize: (value) => value.toISOString(),
  parseValue: (value) => {
    const { data, error } = moment.safeParse(value);
    if (data === undefined) throw new GraphQLError(`A DateTime ${error.issues[0]?.message}.`);
    return data;
  },
});

// Only ever answered, as it was stored.
builder.scalarType('JSON', {
  description: 'Any JSON value.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259',
  serialize: (value) => value,
});

builder.scalarType('Long', {
  description: 'A whole number of up to 2^53 - 1, such as a size in bytes.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc7493#section-2.2',
  serialize: (value) => {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is no Long`);
    return value;
  },
});

builder.scalarType('File', {
  specifiedByURL: 'https://github.com/jaydenseric/graphql-multipart-request-spec',
  description:
    'A file part of a multipart request (GraphQL multipart request specification); only ever a variable.',
  serialize: () => {
    throw new TypeError('a File is only ever an input');
  },
  parseValue: (value) => {
    // A class of our own, so that no JSON value can pass for a file on this machine's disk.
    if (value instanceof SpooledFile) return value;
    throw refusal('bad_request', 'A File must be a file part of a multipart request.', {
      http: { spec: false },
    });
  },
});
