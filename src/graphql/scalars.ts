import { GraphQLScalarType } from 'graphql';
import { GraphQLDateTimeISO, GraphQLJSON, GraphQLSafeInt } from 'graphql-scalars';
import { SpooledFile } from '../http/spooled-file.ts';
import { builder } from './builder.ts';
import { refusal } from './refusal.ts';

const described = (scalar: GraphQLScalarType, description: string, specifiedByURL: string) =>
  new GraphQLScalarType({ ...scalar.toConfig(), description, specifiedByURL });

builder.addScalarType(
  'DateTime',
  described(
    GraphQLDateTimeISO,
    'A moment, as ISO 8601 in UTC: `2026-11-24T09:30:00.000Z`.',
    'https://scalars.graphql.org/andimarek/date-time.html',
  ),
);
builder.addScalarType(
  'JSON',
  described(GraphQLJSON, 'Any JSON value.', 'https://www.rfc-editor.org/rfc/rfc8259'),
);
builder.addScalarType(
  'Long',
  described(
    GraphQLSafeInt,
    'A whole number of up to 2^53 - 1, such as a size in bytes.',
    'https://www.rfc-editor.org/rfc/rfc7493#section-2.2',
  ),
);

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
