import type { ClientSession } from './client/client-session.ts';
import { FakeSocket } from './fake-socket.test-support.ts';
import { wire } from './wire.test-support.ts';

/** A client's end of its connection. */
export class FakeClient {
  readonly socket = new FakeSocket();
  readonly session: ClientSession;

  constructor(session: ClientSession) {
    this.session = session;
    this.socket.open(session);
  }

  get id(): string {
    return this.session.id;
  }

  says(text: string): void {
    this.socket.receive(wire(text));
  }

  /** All that it was ever sent, frame by frame. */
  get heard(): string[] {
    return this.socket.sent.map(({ text }) => text);
  }
}
