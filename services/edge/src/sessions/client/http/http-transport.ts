import type { SocketHandler } from '../../../ports/socket.ts';
import type { Time } from '../../../ports/time.ts';
import type { TurnFlusher } from '../../turn-flusher.ts';

/** What a transport over HTTP requests is made of. */
export interface HttpTransportOptions {
  readonly handler: SocketHandler;
  readonly time: Pick<Time, 'now'>;
  readonly flusher: TurnFlusher;
  /** Bytes that may wait for the client. */
  readonly queueBytes: number;
  /** Told once when no request can reach the connection any more. */
  readonly forgotten: () => void;
}
