import type { Clients } from '../sending/clients.ts';
import type { Groups } from '../sending/groups.ts';
import type { User } from '../user.ts';

/** `Context` of a hub: one client connection, as the app sees it. */
export interface HubCallerContext {
  readonly connectionId: string;
  readonly user: User;
  readonly items: Map<unknown, unknown>;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly query: URLSearchParams;
  /** `asrs.op` of the query. */
  readonly path: string;
  /** First entry of `X-Forwarded-For`, if it is an address. */
  readonly remoteAddress: string | undefined;
  /** `IConnectionMigrationFeature`: there if the client was moved here from another server. */
  readonly migration: { readonly from: string; readonly to: string } | undefined;
  readonly aborted: AbortSignal;
  abort(): void;
}

/** What a hub method works with; `signal` ends its stream, or is that of the connection. */
export interface HubCall {
  readonly context: HubCallerContext;
  readonly clients: Clients;
  readonly groups: Groups;
  readonly signal: AbortSignal;
}

export interface HubMethod {
  readonly run: (call: HubCall, ...args: never[]) => unknown;
  /** It answers with an async iterable, to be called as a stream. */
  readonly streams: boolean;
  /** How many of its last arguments are uploads. */
  readonly uploads: number;
}

export interface HubDefinition {
  readonly methods: Readonly<Record<string, HubMethod>>;
  readonly onConnected?: (call: HubCall) => unknown;
  readonly onDisconnected?: (call: HubCall, error: Error | undefined) => unknown;
}

export function method(run: HubMethod['run'], uploads = 0): HubMethod {
  return { run, streams: false, uploads };
}

export function stream(run: HubMethod['run'], uploads = 0): HubMethod {
  return { run, streams: true, uploads };
}

/** Options of a hub, with ASP.NET's defaults where they are left out. */
export interface HubOptions {
  readonly enableDetailedErrors?: boolean;
  /** Milliseconds; 30,000. */
  readonly clientTimeoutInterval?: number;
  /** Milliseconds; 15,000. */
  readonly keepAliveInterval?: number;
  /** Milliseconds; 15,000. */
  readonly handshakeTimeout?: number;
  /** Bytes, framing included; 32,768. */
  readonly maximumReceiveMessageSize?: number;
  /** 1. */
  readonly maximumParallelInvocationsPerClient?: number;
  /** Said in the service handshake; false. */
  readonly allowStatefulReconnects?: boolean;
}

export const HUB_DEFAULTS: Required<HubOptions> = {
  enableDetailedErrors: false,
  clientTimeoutInterval: 30_000,
  keepAliveInterval: 15_000,
  handshakeTimeout: 15_000,
  maximumReceiveMessageSize: 32_768,
  maximumParallelInvocationsPerClient: 1,
  allowStatefulReconnects: false,
};
