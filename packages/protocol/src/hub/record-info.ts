/** The hub message types (client protocols reference, section 3.3). */
export const HubMessageType = {
  Invocation: 1,
  StreamItem: 2,
  Completion: 3,
  StreamInvocation: 4,
  CancelInvocation: 5,
  Ping: 6,
  Close: 7,
  Ack: 8,
  Sequence: 9,
} as const;

/** Whether messages of this type have, or (type 1) may have, an invocation id. */
export function mayHaveId(type: number): boolean {
  return type >= HubMessageType.Invocation && type <= HubMessageType.CancelInvocation;
}

const MAX_INT32 = 0x7fffffff;
const BACKSLASH = 0x5c;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** What the relay needs to know of one record. Made once and filled in again for every record. */
export class RecordInfo {
  /** A HubMessageType or one not known yet; 0 when the record is not a hub message. */
  type = 0;
  /** The invocation id, when it is written as a plain decimal integer of 0..2^31-1; otherwise -1. */
  id = -1;
  /** Where the raw text of the id is, in the bytes classified: 0,0 for none. Empty ids are none. */
  idStart = 0;
  idEnd = 0;
  /** The raw text has JSON escapes. */
  idEscaped = false;

  reset(): void {
    this.type = 0;
    this.id = -1;
    this.idStart = 0;
    this.idEnd = 0;
    this.idEscaped = false;
  }

  /** Sets the id to the raw text `bytes[start, end)`. */
  setId(bytes: Uint8Array, start: number, end: number): void {
    if (start === end) return;
    this.idStart = start;
    this.idEnd = end;
    this.id = decimal(bytes, start, end);
  }

  /** The same for JSON text, which may have escapes; a bad one makes it no hub message. */
  setJsonId(bytes: Uint8Array, start: number, end: number): void {
    this.setId(bytes, start, end);
    if (this.id !== -1 || !hasBackslash(bytes, start, end)) return;
    this.idEscaped = true;
    try {
      this.id = decimalText(this.#text(bytes));
    } catch {
      this.reset();
    }
  }

  /** The id as text, from the bytes classified; undefined for none. Allocates. */
  idText(bytes: Uint8Array): string | undefined {
    if (this.idEnd === 0) return undefined;
    return this.id === -1 ? this.#text(bytes) : String(this.id);
  }

  #text(bytes: Uint8Array): string {
    const raw = decoder.decode(bytes.subarray(this.idStart, this.idEnd));
    return this.idEscaped ? (JSON.parse(`"${raw}"`) as string) : raw;
  }
}

/** The integer that `bytes[start, end)` writes in decimal without leading zeros, or -1. */
export function decimal(bytes: Uint8Array, start: number, end: number): number {
  const digits = end - start;
  if (digits < 1 || digits > 10 || (digits > 1 && bytes[start] === 0x30)) return -1;
  let value = 0;
  for (let at = start; at < end; at++) {
    const digit = (bytes[at] as number) - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value <= MAX_INT32 ? value : -1;
}

function decimalText(text: string): number {
  return /^(?:0|[1-9]\d{0,9})$/.test(text) && Number(text) <= MAX_INT32 ? Number(text) : -1;
}

function hasBackslash(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (bytes[at] === BACKSLASH) return true;
  return false;
}
