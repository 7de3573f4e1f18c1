import type { TransportName } from '@trunkline/sdk';

import { type Version, VERSIONS } from './libraries.ts';

export type ProtocolName = 'json' | 'messagepack';

/** How a client comes to its connection, with the hub protocols that go that way. */
export interface Way {
  readonly name: string;
  readonly transport: TransportName;
  /** Whether it negotiates, or opens its WebSocket at the edge and nothing else. */
  readonly negotiates: boolean;
  readonly protocols: readonly ProtocolName[];
}

export const WAYS: readonly Way[] = [
  {
    name: 'WebSockets',
    transport: 'WebSockets',
    negotiates: true,
    protocols: ['json', 'messagepack'],
  },
  {
    name: 'WebSockets without negotiate',
    transport: 'WebSockets',
    negotiates: false,
    protocols: ['json', 'messagepack'],
  },
  {
    name: 'ServerSentEvents',
    transport: 'ServerSentEvents',
    negotiates: true,
    // It is text.
    protocols: ['json'],
  },
  {
    name: 'LongPolling',
    transport: 'LongPolling',
    negotiates: true,
    protocols: ['json', 'messagepack'],
  },
];

/** A kind of client. */
export interface ClientKind {
  readonly version: Version;
  readonly way: Way;
  readonly protocol: ProtocolName;
}

export const KINDS: readonly ClientKind[] = VERSIONS.flatMap((version) =>
  WAYS.flatMap((way) => way.protocols.map((protocol) => ({ version, way, protocol }))),
);

/** What clients come through: nothing, or nginx with TLS in front of the edge and the app server. */
export const FRONT_NAMES = ['straight', 'nginx with TLS'] as const;

export type FrontName = (typeof FRONT_NAMES)[number];

/** A client and its surroundings: what every scenario runs with. */
export interface Variant {
  readonly kind: ClientKind;
  readonly front: FrontName;
}

export const VARIANTS: readonly Variant[] = FRONT_NAMES.flatMap((front) =>
  KINDS.map((kind) => ({ kind, front })),
);

/**
 * For scenarios with clients of many kinds: every version that reconnects by itself and every way,
 * with each protocol.
 */
export const COMPANY: readonly ClientKind[] = [
  pick(10, 'WebSockets', 'json'),
  pick(10, 'WebSockets', 'messagepack'),
  pick(9, 'WebSockets without negotiate', 'json'),
  pick(8, 'WebSockets without negotiate', 'messagepack'),
  pick(7, 'ServerSentEvents', 'json'),
  pick(6, 'LongPolling', 'json'),
  pick(3, 'LongPolling', 'messagepack'),
];

function pick(version: Version, way: string, protocol: ProtocolName): ClientKind {
  return KINDS.find(
    (kind) => kind.version === version && kind.way.name === way && kind.protocol === protocol,
  )!;
}

/** For instance `8 messagepack LongPolling`. */
export function kindName({ version, protocol, way }: ClientKind): string {
  return `${version} ${protocol} ${way.name}`;
}

export function variantName({ kind, front }: Variant): string {
  return `${kindName(kind)}, ${frontName(front)}`;
}

/** With what a machine must have for it. */
export function frontName(front: FrontName): string {
  return front === 'nginx with TLS' ? `${front} (needs nginx and openssl)` : front;
}
