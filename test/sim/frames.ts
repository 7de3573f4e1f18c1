import type { HubMessage } from '../edge/support/json-client.ts';

const SEPARATOR = '\x1e';

/** A hub message in JSON, as one record. */
export function record(message: Partial<HubMessage>): Buffer {
  return Buffer.from(JSON.stringify(message) + SEPARATOR);
}

/** Of whole records; a handshake response has no type. */
export function messagesOf(records: string): Partial<HubMessage>[] {
  const texts = records.split(SEPARATOR).slice(0, -1);
  return texts.map((text) => JSON.parse(text) as Partial<HubMessage>);
}
