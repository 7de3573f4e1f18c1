/** A hub protocol: how a client and its hub write hub messages after the handshake. */
export interface HubProtocol {
  readonly name: string;
  /** Length-prefixed records in Binary frames, rather than text ended by RS in Text frames. */
  readonly binary: boolean;
}

/** The hub protocols that servers speak (client protocols reference, sections 3.2 and 3.9). */
export const KNOWN_HUB_PROTOCOLS: readonly HubProtocol[] = [
  { name: 'json', binary: false },
  { name: 'messagepack', binary: true },
  { name: 'blazorpack', binary: true },
];

/** The highest handshake version of every known protocol; 2 means stateful reconnect. */
export const MAX_HUB_PROTOCOL_VERSION = 2;

/** The known protocol of this name, ignoring case as ASP.NET does. */
export function hubProtocol(name: string): HubProtocol | undefined {
  const lower = name.toLowerCase();
  return KNOWN_HUB_PROTOCOLS.find((known) => known.name === lower);
}

/** False for an unknown name too: its only traffic is the handshake, which is text. */
export function isBinaryProtocol(name: string): boolean {
  return hubProtocol(name)?.binary ?? false;
}

/** ASP.NET's handshake error texts, which clients show (client protocols reference, section 3.1). */
export const handshakeErrors = {
  unknownProtocol: (protocol: string): string => `The protocol '${protocol}' is not supported.`,
  unsupportedVersion: (protocol: string, version: number): string =>
    `The server does not support version ${version} of the '${protocol}' protocol.`,
  /** A binary protocol on Server-Sent Events. */
  textOnlyTransport: (protocol: string): string =>
    `Cannot use the '${protocol}' protocol on the current transport. ` +
    `The transport does not support 'Binary' transfer format.`,
  /** The request came too late, or was longer than the maximum message size. */
  canceled: (): string => 'Handshake was canceled.',
  /** Anything else. `detail` is `<ErrorType>: <message>`, given only where errors are detailed. */
  unexpected: (detail?: string): string =>
    `An unexpected error occurred during connection handshake.${detail === undefined ? '' : ` ${detail}`}`,
};
