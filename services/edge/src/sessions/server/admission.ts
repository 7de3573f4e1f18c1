import { HUB_NAME_RULE, queryValue } from '@trunkline/protocol';
import { readServerClaims } from '@trunkline/tokens';
import type { HttpAnswer, HttpRequest } from '../../ports/listener.ts';
import type { Random } from '../../ports/random.ts';
import type { Upgrade } from '../../ports/upgrade.ts';
import type { HubDirectory } from '../hub-directory.ts';
import type { TokenVerifier } from '../token-verifier.ts';
import { requestedHub, requestToken, unauthorized } from '../token-verifier.ts';
import { OFFER_HEADER } from './offers.ts';
import type { ServerContext } from './server-context.ts';
import { ServerSession } from './server-session.ts';

/** Server ids are a machine's name and a guid: longer ones are cut. */
const ID_LENGTH = 256;
/** Of an id that is made here, for an app server that brings none. */
const OWN_ID_BYTES = 16;

/** Our SDK sends 16 characters. */
const OFFER_LENGTH = 64;

/** The edge that our SDK has connections at already, when it dials a load balancer for another one. */
const ELSEWHERE_HEADER = 'x-trunkline-elsewhere';

const THE_SAME_EDGE: HttpAnswer = { status: 409, body: 'This is the edge not to connect to.' };

const TOO_MANY_HUBS: HttpAnswer = {
  status: 503,
  headers: { 'retry-after': '1' },
  body: 'This edge has too many hubs.',
  why: 'hubs',
};

/** The app servers' door (service protocol reference, section 2). */
export class ServerAdmission {
  readonly #context: ServerContext;
  readonly #tokens: TokenVerifier;
  readonly #hubs: HubDirectory;
  readonly #random: Random;

  constructor(context: ServerContext, tokens: TokenVerifier, hubs: HubDirectory, random: Random) {
    this.#context = context;
    this.#tokens = tokens;
    this.#hubs = hubs;
    this.#random = random;
  }

  /** A WebSocket at `/server/`. Refusals are logged: .NET's SDK shows them to nobody. */
  connect(request: HttpRequest, upgrade: Upgrade): void {
    const verdict = this.#admit(request);
    if (!('status' in verdict)) upgrade.accept(verdict);
    else if (verdict === THE_SAME_EDGE) upgrade.refuse(verdict);
    else upgrade.refuse(this.#noted(request, verdict));
  }

  #admit(request: HttpRequest): ServerSession | HttpAnswer {
    const hub = requestedHub(request);
    if (typeof hub !== 'string') return hub;
    const verified = this.#tokens.verify(requestToken(request), 'server', hub);
    if (typeof verified === 'string') return unauthorized(verified);
    const elsewhere = request.headers.get(ELSEWHERE_HEADER);
    if (elsewhere === encodeURIComponent(this.#context.edgeId)) return THE_SAME_EDGE;
    const runtime = this.#hubs.open(hub, 'server');
    if (runtime === undefined) return TOO_MANY_HUBS;
    const id =
      queryValue(request.query, 'cid') ?? Buffer.from(this.#random(OWN_ID_BYTES)).toString('hex');
    const serverId =
      request.headers.get('x-asrs-server-id') ?? readServerClaims(verified.payload).serverId ?? id;
    const identity = {
      id: id.slice(0, ID_LENGTH),
      serverId: serverId.slice(0, ID_LENGTH),
      hub: runtime,
      userAgent: request.headers.get('asrs-user-agent') ?? '',
      offer: request.headers.get(OFFER_HEADER)?.slice(0, OFFER_LENGTH),
    };
    return new ServerSession(identity, this.#context);
  }

  #noted(request: HttpRequest, refusal: HttpAnswer): HttpAnswer {
    const { remoteAddress } = request;
    const hub = queryValue(request.query, 'hub');
    const latest = { remoteAddress, ...(refusal.why === 'hub_name' && { rule: HUB_NAME_RULE }) };
    this.#context.digest.warn({ reason: refusal.why, hub }, 'app server refused', latest);
    return refusal;
  }
}
