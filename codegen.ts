/** `npm run codegen`: types and persisted documents of the example operations. */
import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  schema: 'api.graphql',
  documents: 'examples/operations/*.graphql',
  importExtension: '.ts',
  generates: {
    'examples/typed-client/generated/': {
      preset: 'client',
      presetConfig: {
        fragmentMasking: false,
        skipIndexFile: true,
        // The hash of Apollo's persisted queries too, so that one file of documents serves both kinds of client.
        persistedDocuments: { hashAlgorithm: 'sha256' },
      },
      config: {
        documentMode: 'string',
        useTypeImports: true,
        enumsAsTypes: true,
        // A newer server may answer a value that this client has not heard of.
        futureProofEnums: true,
        strictScalars: true,
        scalars: {
          ID: 'string',
          DateTime: 'string',
          JSON: 'unknown',
          Long: 'number',
          File: 'File',
        },
      },
    },
  },
};

export default config;
