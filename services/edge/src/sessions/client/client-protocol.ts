import { encodeClose, encodePing, hubProtocol } from '@trunkline/protocol';
import { LRUCache } from 'lru-cache';

/** What the edge must know of the hub protocol a client speaks; one object serves all its clients. */
export interface ClientProtocol {
  readonly name: string;
  /** Length-prefixed records in Binary frames; else text records in Text frames. */
  readonly binary: boolean;
  readonly ping: Uint8Array;
}

const known = new Map<string, ClientProtocol>();

/**
 * A name nobody knows is treated as text: all it will see is the hub's refusal. Such names come
 * from clients, so they are not kept.
 */
export function clientProtocol(name: string): ClientProtocol {
  const found = known.get(name);
  if (found !== undefined) return found;
  const standard = hubProtocol(name);
  const binary = standard?.binary ?? false;
  const protocol = { name: standard?.name ?? name, binary, ping: encodePing(binary) };
  if (standard !== undefined) known.set(protocol.name, protocol);
  return protocol;
}

export function closeFrame(
  protocol: ClientProtocol,
  error: string | undefined,
  allowReconnect: boolean,
): Uint8Array {
  return encodeClose(protocol.binary, error, allowReconnect);
}

/** Clients of one kind send the same request: a handful of forms serves all of them. */
const handshakes = new LRUCache<string, Uint8Array>({ max: 64 });

/** A copy of a handshake request, one for all clients that sent the same of late. */
export function sharedHandshake(request: Uint8Array): Uint8Array {
  const key = Buffer.from(request.buffer, request.byteOffset, request.length).toString('latin1');
  const found = handshakes.get(key);
  if (found !== undefined) return found;
  const copy = Uint8Array.from(request);
  handshakes.set(key, copy);
  return copy;
}
