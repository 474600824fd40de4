/** The REST twin: the operations of all `.rest.ts` files behind authentication, scopes and CORS. */

import { Hono } from 'hono';
import { cors } from 'hono/cors';
import { createMiddleware } from 'hono/factory';
import { callerOf } from '../http/caller-of.ts';
import { refuse, refusedResponse } from '../http/error-envelope.ts';
import type { Foundation } from '../http/foundation.ts';
import { AllowedOrigins, EXPOSED_HEADERS, PREFLIGHT_MAX_AGE } from '../http/origins.ts';
import { isEncodedUtf8 } from '../http/percent-encoded.ts';
import { refusedBy } from '../http/refused-by.ts';
import type { Authenticate } from '../identity/authenticate.ts';
import type { Caller } from '../identity/caller.ts';
import { invalidField } from '../input.ts';
import type { ReadingWorld } from '../packs/contents/reading-world.ts';
import type { RequestRecord } from '../request-record.ts';
import { auditOperations } from './audit/audit.rest.ts';
import { openApiDocument } from './openapi.ts';
import type { Operation } from './operation.ts';
import { detachOperations } from './packs/detach-pack-from-roles.rest.ts';
import { packOperations } from './packs/pack.rest.ts';
import { packChanges } from './packs/pack-changes.rest.ts';
import { fileOperations } from './packs/pack-files.rest.ts';
import { revisionOperations } from './packs/pack-revisions.rest.ts';
import { uploadOperations } from './packs/upload-pack.rest.ts';
import { problemResponse } from './problem-response.ts';
import { roleOperations } from './roles/role.rest.ts';

interface Env {
  Bindings: { readonly record: RequestRecord };
  Variables: { caller: Caller };
}
type App = Hono<Env>;

const DOCUMENT = '/v1/openapi.json';

/** In the order in which paths are tried: `/v1/packs/upload` before `/v1/packs/{id}`. */
const operations: readonly Operation[] = [
  ...uploadOperations,
  ...packOperations,
  ...fileOperations,
  ...revisionOperations,
  ...detachOperations,
  ...packChanges,
  ...roleOperations,
  ...auditOperations,
];

const methodOf = ({ route }: Pick<Operation, 'route'>): string => route.method.toUpperCase();

let document: ReturnType<typeof openApiDocument> | undefined;
/** The OpenAPI document, as `/v1/openapi.json` serves it; made when it is first asked for, which takes 0.1 s. */
export const openApi = () => (document ??= openApiDocument(operations));

/** The REST surface: one handler for all routes of `operations`. */
export function createRest(foundation: Omit<Foundation, 'events'>) {
  const { world, authenticate } = foundation;
  const app: App = new Hono<Env>();
  app.use(allowOrigins(world));
  app.get(DOCUMENT, (context) => context.json(openApi()));
  app.use(authentication(authenticate));
  app.use(encodedAsUtf8(world));
  refuseOtherMethods(app, DOCUMENT, ['GET']);
  // A file's path may contain slashes, which only the router has to know.
  const byPath = Map.groupBy(operations, ({ route }) =>
    route.getRoutingPath().replace(/:path$/, ':path{.+}'),
  );
  for (const [path, ofPath] of byPath) {
    for (const one of ofPath) serve(app, foundation, path, one);
    refuseOtherMethods(app, path, ofPath.map(methodOf));
  }
  app.notFound(({ env: { record } }) => {
    record.outcomes.push('route_not_found');
    return refuse(
      'route_not_found',
      `There is nothing at this path; see ${DOCUMENT}.`,
      record.requestId,
    );
  });
  // All errors, and here: an answer made further out would lack the CORS headers that let a page read it.
  app.onError((error, { env: { record } }) =>
    refusedResponse(refusedBy(error, record, world.log), record.requestId),
  );
  return async (request: Request, record: RequestRecord): Promise<Response> =>
    app.fetch(request, { record });
}

function allowOrigins({ config }: ReadingWorld) {
  const origins = new AllowedOrigins(config.corsOrigins);
  return cors({
    origin: (origin) => (origins.allows(origin) ? origin : null),
    // By itself hono names QUERY too, which nothing here answers.
    allowMethods: [...new Set(['GET', 'HEAD', ...operations.map(methodOf)])],
    // Cookies mean nothing here, so no browser has to send one.
    credentials: false,
    exposeHeaders: EXPOSED_HEADERS,
    maxAge: PREFLIGHT_MAX_AGE,
  });
}

/** Only a caller is answered. */
const authentication = (authenticate: Authenticate) =>
  createMiddleware<Env>(async (context, next) => {
    context.set('caller', await callerOf(authenticate, context.req.raw, context.env.record));
    return next();
  });

/** Before a path is routed: the router keeps what it cannot decode, "%E9", as the name that was meant. */
const encodedAsUtf8 = (world: ReadingWorld) =>
  createMiddleware<Env>(async ({ req, env, get }, next) => {
    const { pathname, search } = new URL(req.url);
    const isWrong = (text: string) => !isEncodedUtf8(text);
    const where = isWrong(pathname) ? 'path' : isWrong(search) ? 'query' : null;
    if (where === null) return next();
    const problem = invalidField(where, 'is not UTF-8 in percent-encoding');
    env.record.outcomes.push(problem.kind);
    return problemResponse(world, get('caller'), problem);
  });

function serve(
  app: App,
  { world, uploads, downloads, bodies, answers }: Omit<Foundation, 'events' | 'authenticate'>,
  path: string,
  { route, needs, answer }: Operation,
) {
  const method = methodOf({ route });
  app.on(method, path, async (context) => {
    const { env, req } = context;
    const caller = context.get('caller');
    env.record.operation = `${method} ${route.path}`;
    if (needs !== null && !caller.scopes.has(needs)) {
      env.record.outcomes.push('permission_denied');
      return refuse(
        'permission_denied',
        `This needs the scope ${needs}, which the caller does not have.`,
        caller.requestId,
        { required_scopes: [needs] },
      );
    }
    using body = await bodies.begin(caller, req.raw);
    const parameters = { id: req.param('id') ?? '', path: req.param('path') ?? '' };
    const beginAnswer = async (share: number) => {
      env.record.turn = await answers.begin(caller, share);
    };
    const asked = { request: req.raw, parameters, body, uploads, downloads, beginAnswer };
    return answer(world, caller, asked, env.record.outcomes);
  });
}

function refuseOtherMethods(app: App, path: string, methods: readonly string[]): void {
  const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
  app.all(path, ({ env: { record } }) => {
    record.outcomes.push('method_not_allowed');
    const message = `This path answers ${allow}.`;
    const response = refuse('method_not_allowed', message, record.requestId);
    response.headers.set('allow', allow);
    return response;
  });
}
