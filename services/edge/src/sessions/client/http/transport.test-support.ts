import type { SocketHandler } from '../../../ports/socket.ts';
import { SYSTEM_TIME } from '../../../system-time.ts';
import { TurnFlusher } from '../../turn-flusher.ts';
import type { HttpTransportOptions } from './http-transport.ts';

/** What a transport over HTTP requests is made of: who is told, and a clock that tests move. */
export class TestSurroundings {
  now = 1_000_000;
  /** What the session was told. */
  queued = 0;
  drained = 0;
  readonly disconnected: number[] = [];
  forgotten = 0;

  options(queueBytes = 1000): HttpTransportOptions {
    const handler: SocketHandler = {
      opened() {},
      received() {},
      queued: () => void this.queued++,
      drained: () => void this.drained++,
      disconnected: (code) => void this.disconnected.push(code),
    };
    return {
      handler,
      time: { now: () => this.now },
      flusher: new TurnFlusher(SYSTEM_TIME),
      queueBytes,
      forgotten: () => void this.forgotten++,
    };
  }
}
