import type { ProfileName } from '@trunkline/testing';

import type { Context } from './context.ts';
import type { ClientKind } from './variants.ts';

/** One behaviour that clients of every kind must see, those aside that cannot. */
export interface Scenario {
  readonly name: string;
  readonly needs?: readonly Need[];
  /** It has several clients, and holds with them at different edges, too. Every run checks the first. */
  readonly several?: boolean;
  /** A sentence on the page, where the control cannot run it. */
  readonly withoutControl?: string;
  /** Why app servers on these versions of the .NET package cannot run it. */
  readonly withoutPackage?: Partial<Record<ProfileName, string>>;
  run(context: Context): Promise<void>;
}

/** What a kind of client must have for a scenario to mean anything. */
export interface Need {
  /** A sentence on the page, for the kinds without it. */
  readonly why: string;
  met(kind: ClientKind): boolean;
}

/** Scenarios about one thing. */
export interface Chapter {
  readonly title: string;
  readonly scenarios: readonly Scenario[];
}

/** Why scenarios about a service are not run with the control, which is hubs and nothing else. */
export const WITHOUT_CONTROL = {
  edge: 'It is about the edge, and the control has none.',
  tokens: "It is about the edge's tokens, and the control has none.",
  negotiate: "It is about the app's negotiate, and the control has the framework's.",
  request: 'It is about what an edge shows of a request, and the control shows all of it.',
  slowReaders: 'What is kept for a client, and for how long, is for a service to say.',
  stopping: 'The framework cuts its clients off when it stops; a service lets go of them gently.',
  groups: 'The framework sends such a client a copy for each group, in one process as it is.',
  oldClients: 'The framework asks such a client all the same, and it hangs up.',
  messagepack: 'The control speaks JSON alone.',
} as const satisfies Readonly<Record<string, string>>;

const NO_ANSWER_YET =
  'Until it is connected, its negotiate answers 500, and not when to come back.';
const CANNOT_ASK = 'It cannot ask clients.';

/** What versions of the .NET package lack. */
export const WITHOUT_PACKAGE = {
  negotiate: { '1.34.0': NO_ANSWER_YET, '1.15.2': NO_ANSWER_YET },
  clientResults: { '1.15.2': CANNOT_ASK },
  ownCaller: {
    '1.34.0': 'It asks the caller itself only where calls of one client may run side by side.',
    '1.15.2': CANNOT_ASK,
  },
  groupOrder: { '1.15.2': 'Its group commands may overtake its sends, on other connections.' },
  reservedClaims: { '1.15.2': 'It loses claims that are called like those of its own tokens.' },
} as const satisfies Readonly<Record<string, Scenario['withoutPackage']>>;

export const NEEDS = {
  negotiate: {
    why: 'It is about negotiate.',
    met: ({ way }) => way.negotiates,
  },
  reconnect: {
    why: 'Clients reconnect by themselves from version 3 on.',
    met: ({ version }) => version >= 3,
  },
  uploads: {
    why: 'Clients upload streams from version 3 on.',
    met: ({ version }) => version >= 3,
  },
  cancellation: {
    why: 'The MessagePack of version 1 cannot write that a stream is cancelled.',
    met: ({ version, protocol }) => version >= 3 || protocol === 'json',
  },
  postsInTurn: {
    why: 'Version 1 does not wait for a post before the next, and gives each a connection of its own: their order is not kept.',
    met: ({ version, way }) => version >= 3 || way.transport === 'WebSockets',
  },
  ownId: {
    why: 'Clients know the id of their connection from version 3 on.',
    met: ({ version }) => version >= 3,
  },
  clientResults: {
    why: 'Clients answer what the hub asks from version 7 on.',
    met: ({ version }) => version >= 7,
  },
  noClientResults: {
    why: 'It is about clients that cannot answer what the hub asks; from version 7 on, they can.',
    met: ({ version }) => version < 7,
  },
  userAgent: {
    why: 'Clients say what they are from version 5 on.',
    met: ({ version }) => version >= 5,
  },
  anonymity: {
    why: 'It is about clients that do not say what they are; from version 5 on, they do.',
    met: ({ version }) => version < 5,
  },
  headers: {
    why: "Clients take headers of the app's own from version 5 on.",
    met: ({ version }) => version >= 5,
  },
  protocolVersion: {
    why: 'From version 8 on, clients ask for version 1 of a hub protocol, whatever it says it is.',
    met: ({ version }) => version < 8,
  },
  catchableRefusal: {
    why: 'Over WebSockets, versions 1 and 3 throw the refusal once more where Node takes it for a crash.',
    met: ({ version, way }) => version > 3 || way.transport !== 'WebSockets',
  },
  serverSentEvents: {
    why: 'It is about server-sent events.',
    met: ({ way }) => way.transport === 'ServerSentEvents',
  },
  longPolling: {
    why: 'It is about long polling.',
    met: ({ way }) => way.transport === 'LongPolling',
  },
  fallback: {
    why: 'It is about the transports that clients fall back to.',
    met: ({ way }) => way.transport !== 'WebSockets',
  },
} as const satisfies Readonly<Record<string, Need>>;

/** Whether it has what the scenario needs. */
export function appliesTo({ needs = [] }: Scenario, kind: ClientKind): boolean {
  return needs.every(({ met }) => met(kind));
}
