/** An issuer of session tokens: a real server of its keys, which can be taken down. */
import { createServer } from 'node:http';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { onTestFinished } from 'vitest';

const ISSUER = 'https://login.example';
const AUDIENCE = 'pack-gateway';

export interface SessionIssuer {
  /** What a gateway is started with that trusts this issuer. */
  readonly environment: Readonly<Record<string, string>>;
  /** A session of `user` in the first org, or as `claims` say; `expires` is in seconds from now. */
  token(user: string, expires: number, claims?: JWTPayload): Promise<string>;
  /** From now on every request for the keys fails. */
  goDown(): void;
}

export async function startSessionIssuer(): Promise<SessionIssuer> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const keys = [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }];
  let isDown = false;
  const server = createServer((_request, response) => {
    if (isDown) return response.writeHead(503).end();
    return response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  return {
    environment: {
      JWT_ISSUER: ISSUER,
      JWT_AUDIENCE: AUDIENCE,
      JWKS_URL: `http://127.0.0.1:${port}/jwks.json`,
    },
    token: (user, expires, claims = {}) =>
      new SignJWT({ sub: user, org_id: 'default', ...claims })
        .setIssuer(ISSUER)
        .setAudience(AUDIENCE)
        .setExpirationTime(new Date(Date.now() + expires * 1_000))
        .setProtectedHeader({ alg: 'ES256', kid: 'one' })
        .sign(privateKey),
    goDown() {
      isDown = true;
    },
  };
}
