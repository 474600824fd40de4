/** PostGraphile 5 as its documentation has it: Amber preset, library mode, tenancy by row-level security. */
import { createServer } from 'node:http';
import { postgraphile } from 'postgraphile';
import { makePgService } from 'postgraphile/adaptors/pg';
import { grafserv } from 'postgraphile/grafserv/node';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';
import { authenticate } from './caller.ts';
import { openPool, port } from './pool.ts';

const pool = openPool();

const preset: GraphileConfig.Preset = {
  extends: [PostGraphileAmberPreset],
  pgServices: [makePgService({ pool, schemas: ['public'] })],
  grafserv: { graphqlPath: '/graphql', watch: false },
  grafast: {
    explain: false,
    async context(requestContext) {
      const { authorization } = requestContext.node?.req.headers ?? {};
      const caller = await authenticate(pool, authorization);
      if (caller === null) throw new Error('unauthenticated');
      return {
        pgSettings: {
          role: 'bench_caller',
          'app.org_id': caller.orgId,
          'app.may_write': String(caller.mayWrite),
          'app.actor': `key_${caller.keyId}`,
        },
      };
    },
  },
};

const server = createServer();
await postgraphile(preset).createServ(grafserv).addTo(server);
server.listen(port, '127.0.0.1');
