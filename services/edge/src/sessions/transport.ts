import type { TransportName } from '@trunkline/protocol';
import type { LabelsOf } from '@trunkline/telemetry';

export type TransportLabel = LabelsOf<'trunkline_client_opens_total'>['transport'];

/** How a client's bytes travel. */
export interface Transport {
  /** As negotiate and error texts have it. */
  readonly name: TransportName;
  /** As metrics and settings have it. */
  readonly label: TransportLabel;
  /** The value of the header that tells app servers: one for all clients. */
  readonly told: string[];
  /** Whether it can carry binary hub protocols. */
  readonly binary: boolean;
}

export const TRANSPORTS = {
  webSockets: { name: 'WebSockets', told: ['WebSockets'], label: 'webSockets', binary: true },
  serverSentEvents: {
    name: 'ServerSentEvents',
    told: ['ServerSentEvents'],
    label: 'serverSentEvents',
    binary: false,
  },
  longPolling: { name: 'LongPolling', told: ['LongPolling'], label: 'longPolling', binary: true },
} as const satisfies Record<TransportLabel, Transport>;

export const TRANSPORT_LABELS = Object.keys(TRANSPORTS) as TransportLabel[];
