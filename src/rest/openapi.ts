import { OpenAPIHono } from '@hono/zod-openapi';
import { scopes } from '../identity/caller.ts';
import type { Operation } from './operation.ts';

/** The OpenAPI 3.1 document of the operations, made of the very schemas that check requests. */
export function openApiDocument(operations: readonly Operation[]) {
  const documented = new OpenAPIHono();
  for (const { route } of operations) documented.openAPIRegistry.registerPath(route);
  documented.openAPIRegistry.registerComponent('securitySchemes', 'bearer', {
    type: 'http',
    scheme: 'bearer',
    description: `An API key (sk_…) or a session JWT. Scopes: ${scopes.join(', ')}.`,
  });
  return documented.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'pack-gateway',
      version: '1',
      license: { name: 'MIT' },
      description:
        'Content packs and the agent roles that use them. Enum values are lower case; requests may spell them in any case. Lists are newest first.',
    },
    servers: [{ url: '/' }],
    tags: [
      { name: 'Packs', description: 'Versioned bundles of agent content, stored as OCI images.' },
      { name: 'Agent roles', description: 'What an agent is: a name, an environment, its packs.' },
      { name: 'Audit', description: 'Who changed what.' },
    ],
  });
}
