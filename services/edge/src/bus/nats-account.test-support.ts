import { nkeys } from '@nats-io/transport-node';

type KeyPair = ReturnType<typeof nkeys.createUser>;

/** A NATS server's own accounts: an operator, one account, one user of it. */
export interface NatsAccount {
  /** Lines of the server's configuration. */
  readonly config: string;
  /** Content of the user's credentials file. */
  readonly credentials: string;
}

/** Makes new keys and tokens for a server that trusts nobody else; `nsc` does the same for operators. */
export function makeNatsAccount(): NatsAccount {
  const [operator, account, user] = [
    nkeys.createOperator(),
    nkeys.createAccount(),
    nkeys.createUser(),
  ];
  const unlimited = { subs: -1, data: -1, payload: -1 };
  const accountToken = tokenOf(account, operator, {
    type: 'account',
    limits: { ...unlimited, imports: -1, exports: -1, wildcards: true, conn: -1, leaf: -1 },
    default_permissions: { pub: {}, sub: {} },
  });
  const userToken = tokenOf(user, account, { type: 'user', pub: {}, sub: {}, ...unlimited });
  return {
    config: `operator: "${tokenOf(operator, operator, { type: 'operator' })}"
resolver: MEMORY
resolver_preload: { ${account.getPublicKey()}: "${accountToken}" }`,
    credentials: `-----BEGIN NATS USER JWT-----
${userToken}
------END NATS USER JWT------

-----BEGIN USER NKEY SEED-----
${Buffer.from(user.getSeed()).toString()}
------END USER NKEY SEED------
`,
  };
}

function tokenOf(subject: KeyPair, issuer: KeyPair, nats: object): string {
  const claims = {
    jti: subject.getPublicKey(),
    iat: Math.floor(Date.now() / 1000),
    iss: issuer.getPublicKey(),
    sub: subject.getPublicKey(),
    name: 'test',
    nats: { version: 2, ...nats },
  };
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${part(claims)}`;
  return `${signed}.${Buffer.from(issuer.sign(Buffer.from(signed))).toString('base64url')}`;
}
