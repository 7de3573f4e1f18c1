/** A point in time as MessagePack's extension type -1 has it. */
export interface Timestamp {
  /** Since 1970, whole; before 1970 they are negative. */
  readonly seconds: number;
  /** Behind them: 0 to 999,999,999. */
  readonly nanoseconds: number;
}

/** `DateTimeOffset.MaxValue`, by which .NET says that there is no such time (section 18.6). */
export const NEVER: Timestamp = { seconds: 253_402_300_799, nanoseconds: 999_999_900 };

/** Whether a time stands for none: .NET has no later one. */
export function isNever({ seconds }: Timestamp): boolean {
  return seconds >= NEVER.seconds;
}

/** The time of a Date's milliseconds, and of so many nanoseconds behind them. */
export function timestampOf(milliseconds: number, behind = 0): Timestamp {
  const seconds = Math.floor(milliseconds / 1000);
  return { seconds, nanoseconds: (milliseconds - seconds * 1000) * 1_000_000 + behind };
}

/** Bytes that a timestamp can have. */
const SIZES = [4, 8, 12] as const;
type Size = (typeof SIZES)[number];

export function isTimestampSize(size: number): size is Size {
  return SIZES.includes(size as Size);
}

/**
 * What the data of a timestamp says: seconds alone; 30 bits of nanoseconds before 34 of seconds; or
 * both in full, seconds with a sign. Unchecked: there may be too many nanoseconds.
 */
export function readTimestamp(bytes: DataView, at: number, size: Size): Timestamp {
  const first = bytes.getUint32(at);
  if (size === 4) return { seconds: first, nanoseconds: 0 };
  if (size === 12) return { seconds: Number(bytes.getBigInt64(at + 4)), nanoseconds: first };
  const seconds = (first & 3) * 2 ** 32 + bytes.getUint32(at + 4);
  return { seconds, nanoseconds: first >>> 2 };
}
