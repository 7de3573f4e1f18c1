import { isIP, SocketAddress } from 'node:net';
import type { BlockList } from 'node:net';
import type { HttpRequest } from '../ports/listener.ts';

/** Where a request comes from, as far as anybody's word for it counts. */
export interface Source {
  /** The client's IP address, in its usual form; IPv4 never in that of IPv6. */
  readonly address: string;
  /** The host that the client asked, with its port where it named one. */
  readonly host: string | undefined;
  /** The request comes from a trusted proxy: what it says of the client may be passed on. */
  readonly trusted: boolean;
}

/**
 * Headers by which proxies, content networks and sign-in gateways tell of the request they got, and of
 * who sent it. Anybody else can send them too, and a proxy that does not know one leaves it as it came.
 */
const FORWARDING =
  /^(?:x-forwarded-|x-original-(?:for|forwarded-for|host|proto)$|forwarded$|(?:x-)?real-ip$|(?:x-|true-|x-cluster-|fastly-)?client-ip$|cf-connecting-ip|cf-pseudo-ipv4$|x-azure-(?:client|socket)ip$|x-appengine-user-ip$|x-envoy-external-address$|x-ms-client-principal)/;

/** Those of them that reach app servers; `x-forwarded-for` is written anew, by the edge. */
const PASSED_ON = new Set(['x-forwarded-proto', 'x-forwarded-host', 'x-forwarded-port']);

/** Whether a header, its name in lower case, may be believed and so be shown to an app server. */
export function isCredible(name: string, trusted: boolean): boolean {
  return !FORWARDING.test(name) || (trusted && PASSED_ON.has(name));
}

/** Reads `X-Forwarded-*`, of configured proxies only. */
export class Forwarded {
  readonly #proxies: BlockList;
  readonly #none: boolean;

  constructor(proxies: BlockList) {
    this.#proxies = proxies;
    this.#none = proxies.rules.length === 0;
  }

  read({ remoteAddress, headers }: Pick<HttpRequest, 'remoteAddress' | 'headers'>): Source {
    const peer = usualForm(remoteAddress);
    const host = headers.get('host');
    if (!this.#trusts(peer)) return { address: peer, host, trusted: false };
    const named = headers.get('x-forwarded-host')?.split(',', 1)[0]?.trim();
    const address = this.#client(headers.get('x-forwarded-for'), peer);
    return { address, host: named || host, trusted: true };
  }

  /**
   * Each proxy adds its peer on the right. So the client is the right-most address that is not a
   * trusted proxy, and what stands left of it, or of something that is no address, is hearsay.
   */
  #client(forwardedFor: string | undefined, peer: string): string {
    let client = peer;
    for (const entry of forwardedFor?.split(',').toReversed() ?? []) {
      const address = entryAddress(entry.trim());
      if (address === undefined) break;
      client = address;
      if (!this.#trusts(client)) break;
    }
    return client;
  }

  #trusts(address: string): boolean {
    if (this.#none) return false;
    const family = isIP(address);
    return family !== 0 && this.#proxies.check(address, family === 6 ? 'ipv6' : 'ipv4');
  }
}

/** `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]` and `[2001:db8::1]:80`. */
const ENTRY =
  /^(?:\[(?<bracketed>[\da-f:.]+)\](?::\d+)?|(?<v4>[\d.]+)(?::\d+)?|(?<v6>[\da-f:.]+))$/i;

function entryAddress(entry: string): string | undefined {
  const { bracketed, v4, v6 } = ENTRY.exec(entry)?.groups ?? {};
  const address = bracketed ?? v4 ?? v6 ?? '';
  const right = isIP(address) === (v4 === undefined ? 6 : 4);
  return right ? usualForm(address) : undefined;
}

/** uWebSockets.js writes IPv6 in full, and IPv4 as a part of it where the listener has both. */
function usualForm(address: string): string {
  if (!address.includes(':')) return address;
  const short = new SocketAddress({ address, family: 'ipv6' }).address;
  return short.replace(/^::ffff:(?=[\d.]+$)/, '');
}
