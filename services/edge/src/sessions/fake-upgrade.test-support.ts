import type { HttpAnswer } from '../ports/listener.ts';
import type { SocketHandler } from '../ports/socket.ts';
import type { Upgrade } from '../ports/upgrade.ts';

/**
 * Stands in for a request for a WebSocket: records how it is decided, and throws for whoever decides
 * again.
 */
export class FakeUpgrade implements Upgrade {
  gone: (() => void) | undefined;
  verdict: SocketHandler | HttpAnswer | undefined;

  accept(handler: SocketHandler): void {
    this.#decide(handler);
  }

  refuse(answer: HttpAnswer): void {
    this.#decide(answer);
  }

  #decide(verdict: SocketHandler | HttpAnswer): void {
    if (this.verdict !== undefined) throw new Error('decided twice');
    this.verdict = verdict;
  }
}
