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
