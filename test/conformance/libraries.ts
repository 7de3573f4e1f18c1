import * as signalr10 from '@microsoft/signalr';
import * as messagepack10 from '@microsoft/signalr-protocol-msgpack';
import * as signalr1 from 'signalr-1';
import * as signalr3 from 'signalr-3';
import * as signalr6 from 'signalr-6';
import * as signalr7 from 'signalr-7';
import * as signalr8 from 'signalr-8';
import * as signalr9 from 'signalr-9';
import * as messagepack1 from 'signalr-msgpack-1';
import * as messagepack3 from 'signalr-msgpack-3';
import * as messagepack6 from 'signalr-msgpack-6';
import * as messagepack7 from 'signalr-msgpack-7';
import * as messagepack8 from 'signalr-msgpack-8';
import * as messagepack9 from 'signalr-msgpack-9';

/** What `@microsoft/signalr` and `@microsoft/signalr-protocol-msgpack` export at one version. */
export interface Library {
  readonly signalr: typeof signalr10;
  readonly messagepack: typeof messagepack10;
}

/**
 * Classes with private members are strangers to each other in TypeScript; what the tests use of
 * them has been the same since 3.1, and what version 1 lacks is said in `NEEDS`.
 */
function library(signalr: unknown, messagepack: unknown): Library {
  return { signalr, messagepack } as Library;
}

/**
 * The official JavaScript client, by its major version: every one that is or was long supported, and
 * that of ASP.NET Core 2.x, which was `@aspnet/signalr` and is in use still.
 */
export const LIBRARIES = {
  1: library(signalr1, messagepack1),
  3: library(signalr3, messagepack3),
  6: library(signalr6, messagepack6),
  7: library(signalr7, messagepack7),
  8: library(signalr8, messagepack8),
  9: library(signalr9, messagepack9),
  10: library(signalr10, messagepack10),
} as const satisfies Readonly<Record<number, Library>>;

export type Version = keyof typeof LIBRARIES;

/** From the oldest on. */
export const VERSIONS = Object.keys(LIBRARIES).map(Number) as Version[];
