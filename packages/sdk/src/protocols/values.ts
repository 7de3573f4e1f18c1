import { InvalidDataException } from '../errors.ts';

/** Below any stack's end; clients of .NET read 64 levels of JSON at most. */
const MAX_DEPTH = 500;

/** A MessagePack extension that is no timestamp: what it holds, to look at or to pass on. */
export class MessagePackExtension {
  /** -128 to 127. */
  readonly type: number;
  readonly data: Uint8Array;

  constructor(type: number, data: Uint8Array) {
    this.type = type;
    this.data = data;
  }
}

/** The bytes of a value that is nothing but bytes, without a copy. */
export function bytesOf(value: object): Uint8Array | undefined {
  if (value instanceof Uint8Array) return value;
  if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) {
    return new Uint8Array(value);
  }
  if (value instanceof Uint8ClampedArray || value instanceof DataView) {
    return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  return undefined;
}

/** What a collection that is no array holds: a Set, or numbers in a typed array. */
export function listOf(value: object): readonly unknown[] | undefined {
  if (value instanceof Set) return [...(value as Set<unknown>)];
  if (!ArrayBuffer.isView(value)) return undefined;
  return Array.from(value as unknown as ArrayLike<number | bigint>);
}

/** Whether a value has its own idea of what it is in JSON, and so in any hub protocol. */
export function hasJsonForm(value: object): value is { toJSON(key: string): unknown } {
  return typeof (value as { toJSON?: unknown }).toJSON === 'function';
}

/** To be asked for each level that is written. Throws TypeError. */
export function checkDepth(depth: number): void {
  if (depth <= MAX_DEPTH) return;
  throw new TypeError(`a value has more than ${MAX_DEPTH} levels, or contains itself`);
}

/** The same for what is read. Throws InvalidDataException. */
export function checkReadDepth(depth: number): void {
  if (depth > MAX_DEPTH) throw new InvalidDataException(`A value has over ${MAX_DEPTH} levels.`);
}

/** For a BigInt that is to be written where the hub has not said that it can be. */
export function bigIntRefused(): TypeError {
  return new TypeError(
    "a BigInt cannot be sent: turn on the hub's option useBigInt, or send a text or a number",
  );
}

/** For an integer whose digits no number has, read where the hub does not take BigInts. */
export function inexactInteger(digits: string): InvalidDataException {
  return new InvalidDataException(
    `${digits} has more digits than a number keeps: turn on the hub's option useBigInt.`,
  );
}
