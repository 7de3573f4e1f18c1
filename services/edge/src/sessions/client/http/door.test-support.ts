import type { ClientTokenOptions } from '@trunkline/tokens';
import type { ReadPiece } from '../../../bodies.ts';
import type { HttpRequest, Post } from '../../../ports/listener.ts';
import { FakeExchange } from '../../fake-exchange.test-support.ts';
import { TestEdge, wire } from '../../fixtures.test-support.ts';
import { requestWith, tokenFor } from '../visits.test-support.ts';

/** Who comes by requests: the connection token of a negotiate, and the access token. */
export interface Guest {
  readonly id: string;
  readonly connectionToken: string;
  readonly accessToken: string;
}

/** An edge that clients come to by requests. */
export class TestHttpEdge extends TestEdge {
  guest(options: Partial<ClientTokenOptions> = {}): Guest {
    const accessToken = tokenFor(this, options);
    const answer = this.negotiate(requestWith(accessToken, 'hub=chat&negotiateVersion=1'));
    const { connectionId: id, connectionToken } = JSON.parse(String(answer.body)) as {
      connectionId: string;
      connectionToken: string;
    };
    return { id, connectionToken, accessToken };
  }

  request(guest: Guest, headers: Readonly<Record<string, string>> = {}): HttpRequest {
    return requestWith(guest.accessToken, `hub=chat&id=${guest.connectionToken}`, headers);
  }

  poll(guest: Guest): FakeExchange {
    const exchange = new FakeExchange();
    this.doors.receive(this.request(guest), exchange);
    return exchange;
  }

  stream(guest: Guest): FakeExchange {
    const exchange = new FakeExchange();
    this.doors.receive(this.request(guest, { accept: 'text/event-stream' }), exchange);
    return exchange;
  }

  /** A post whose head has come; its body is still on the way. */
  beginPost(guest: Guest): { post: Post | undefined; exchange: FakeExchange } {
    const exchange = new FakeExchange();
    return { post: this.doors.send(this.request(guest), exchange) as Post | undefined, exchange };
  }

  post(guest: Guest, text: string): FakeExchange {
    const { post, exchange } = this.beginPost(guest);
    post?.take(wire(text));
    return exchange;
  }

  /** A post that is read as a listener reads it, of so many pieces. */
  postInPieces(guest: Guest, ...pieces: readonly (string | Buffer)[]): FakeExchange {
    const exchange = new FakeExchange();
    const read = this.beginReading(guest, exchange);
    pieces.forEach((piece, at) => {
      read?.(typeof piece === 'string' ? wire(piece) : piece, at === pieces.length - 1);
    });
    return exchange;
  }

  /** What reads the body of a post; undefined if nobody does. */
  beginReading(guest: Guest, exchange: FakeExchange): ReadPiece | undefined {
    const request = { ...this.request(guest), method: 'POST' };
    const post = this.doors.send(request, exchange);
    return post && this.core.bodies.open(post, exchange);
  }

  leave(guest: Guest): FakeExchange {
    const exchange = new FakeExchange();
    this.doors.leave({ ...this.request(guest), method: 'DELETE' }, exchange);
    return exchange;
  }
}
