// The OpenID-certified provider `oidc-provider` on loopback, with a small control endpoint.
//
//   node provider.mjs ['{"par": "required"}']
//
// prints one line of JSON with its issuer when it listens, and ends when its standard input ends.
// PUT /_control with the same JSON changes its behavior; address and grants stay.
// GET /_asked lists the requests since then.
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const { resolve } = createRequire(new URL('../../web/package.json', import.meta.url));
const load = async (name) => (await import(pathToFileURL(resolve(name)))).default;
const Provider = await load('oidc-provider');
const MemoryAdapter = await load('oidc-provider/lib/adapters/memory_adapter.js');

const DEFAULTS = {
  port: 0, //              any free one
  par: 'on', //            off, on (announced), required
  alg: 'RS256', //         signs the ID token
  keys: 'first', //        another name, other keys
  auth_method: 'client_secret_basic', // the only one that it takes of the client
  client_id: 'q2-mfa',
  client_secret: undefined,
  client_jwks: undefined, // public keys of the client, for private_key_jwt
  redirect_uris: [],
  acr: undefined, //       how the user is said to have logged in
  login_age: 0, //         seconds since the login, in auth_time
};

const keyRings = new Map();

/** Public and private keys by name, made once: a provider set up anew with the same name keeps its keys. */
function keysNamed(name) {
  if (!keyRings.has(name)) {
    const pairs = [
      [generateKeyPairSync('rsa', { modulusLength: 2048 }), `${name}-rsa`],
      [generateKeyPairSync('ec', { namedCurve: 'P-256' }), `${name}-ec`],
    ];
    keyRings.set(name, pairs.map(([{ privateKey }, kid]) => ({ ...privateKey.export({ format: 'jwk' }), kid, use: 'sig' })));
  }
  return keyRings.get(name);
}

function makeProvider(issuer, given) {
  const options = { ...DEFAULTS, ...given };
  const provider = new Provider(issuer, {
    adapter: (model) => new MemoryAdapter(model),
    acrValues: options.acr ? [options.acr] : [],
    clients: [{
      client_id: options.client_id,
      ...(options.auth_method === 'private_key_jwt' ? { jwks: options.client_jwks } : { client_secret: options.client_secret }),
      token_endpoint_auth_method: options.auth_method,
      id_token_signed_response_alg: options.alg,
      redirect_uris: options.redirect_uris,
    }],
    clientAuthMethods: ['client_secret_basic', 'client_secret_post', 'private_key_jwt'],
    cookies: { keys: ['loopback only'] },
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'ES256', 'PS256'] },
    features: {
      devInteractions: { enabled: true },
      pushedAuthorizationRequests: { enabled: options.par !== 'off', requirePushedAuthorizationRequests: options.par === 'required' },
    },
    findAccount: (_, sub) => ({
      accountId: sub,
      claims: () => ({ sub, email: `${sub}@example.com`, email_verified: true }),
    }),
    claims: { openid: ['sub'], email: ['email', 'email_verified'] },
    conformIdTokenClaims: false, // scope claims in the ID token, as most providers of banks can
    jwks: { keys: keysNamed(options.keys) },
    pkce: { required: () => true },
    ttl: { Session: 600, Grant: 600, Interaction: 600, IdToken: 300, AccessToken: 300, AuthorizationCode: 60 },
  });
  // The provider's own login form cannot say how, or how long ago, its user proved who they are.
  const { interactionFinished } = provider;
  provider.interactionFinished = function finished(req, res, result, ...rest) {
    if (result.login) {
      Object.assign(result.login, { acr: options.acr, ts: Math.floor(Date.now() / 1000) - options.login_age });
    }
    return interactionFinished.call(this, req, res, result, ...rest);
  };
  return provider.callback();
}

let answer;
let asked = [];

async function bodyOf(req) {
  let text = '';
  for await (const chunk of req) text += chunk;
  return text;
}

const server = createServer(async (req, res) => {
  const { pathname } = new URL(req.url, issuer);
  if (pathname === '/_control') {
    try {
      answer = makeProvider(issuer, JSON.parse(await bodyOf(req)));
      asked = [];
      res.end('{}');
    } catch (error) {
      res.writeHead(400).end(String(error));
    }
  } else if (pathname === '/_asked') {
    res.end(JSON.stringify(asked));
  } else {
    asked.push(`${req.method} ${pathname}`);
    answer(req, res);
  }
});
const options = JSON.parse(process.argv[2] ?? '{}');
await new Promise((done) => {
  server.on('error', ({ message }) => { console.error(message); process.exit(1); });
  server.listen(options.port ?? 0, '127.0.0.1', done);
});
const issuer = `http://127.0.0.1:${server.address().port}`;
answer = makeProvider(issuer, options);
console.log(JSON.stringify({ issuer }));
process.stdin.on('end', () => process.exit()).resume();
