/** Hub messages in JSON, as the peers of a simulation say them. */

const SEPARATOR = '\x1e';

export interface HubMessage {
  readonly type?: number;
  readonly invocationId?: string;
  readonly arguments?: readonly unknown[];
}

export const HANDSHAKE = `{"protocol":"json","version":1}${SEPARATOR}`;
export const WELCOME = `{}${SEPARATOR}`;

/** As one record. */
export function record(message: HubMessage & Readonly<Record<string, unknown>>): string {
  return JSON.stringify(message) + SEPARATOR;
}

/** Of whole records. */
export function messagesOf(bytes: Uint8Array): HubMessage[] {
  const texts = Buffer.from(bytes).toString().split(SEPARATOR).slice(0, -1);
  return texts.map((text) => JSON.parse(text) as HubMessage);
}
