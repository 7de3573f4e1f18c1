import type {
  AbortCall,
  UpstreamHttp,
  UpstreamOutcome,
  UpstreamRequest,
} from '../../ports/upstream-http.ts';
import { readable, wire } from '../wire.test-support.ts';

/** One call that an edge makes. */
export class FakePost {
  readonly request: UpstreamRequest;
  readonly #room: ((bytes: number) => boolean) | undefined;
  readonly #done: (outcome: UpstreamOutcome) => void;
  isOver = false;
  /** The answer has begun: giving the call up says so. */
  answering = false;

  constructor(
    request: UpstreamRequest,
    room: ((bytes: number) => boolean) | undefined,
    done: (outcome: UpstreamOutcome) => void,
  ) {
    this.request = request;
    this.#room = room;
    this.#done = done;
  }

  get event(): string {
    return this.request.headers['x-asrs-event']!;
  }

  get body(): string {
    return readable(this.request.body);
  }

  /** Whether anybody wants to read what it answers. */
  get isRead(): boolean {
    return this.#room !== undefined;
  }

  /** Bytes of its answer come. Whether they are kept. */
  comes(bytes: number): boolean {
    return this.#room!(bytes);
  }

  answer(status = 200, body: string | Uint8Array = ''): void {
    const bytes = typeof body === 'string' ? wire(body) : body;
    if (this.#room?.(bytes.length) === false) this.end({ kind: 'too_large' });
    else this.end({ kind: 'answer', status, body: bytes });
  }

  fail(message = 'connect ECONNREFUSED'): void {
    this.end({ kind: 'unreachable', refused: false, message });
  }

  end(outcome: UpstreamOutcome): void {
    if (this.isOver) throw new Error('the call is over');
    this.isOver = true;
    this.#done(outcome);
  }
}

/** Upstreams that answer when a test says so. */
export class FakeUpstream implements UpstreamHttp {
  /** Every call there has been. */
  readonly posts: FakePost[] = [];

  post(
    request: UpstreamRequest,
    room: ((bytes: number) => boolean) | undefined,
    done: (outcome: UpstreamOutcome) => void,
  ): AbortCall {
    const post = new FakePost(request, room, done);
    this.posts.push(post);
    return () => {
      if (!post.isOver) post.end({ kind: 'aborted', answering: post.answering });
    };
  }

  /** Events of the calls that nobody has answered. */
  get open(): string[] {
    return this.posts.filter(({ isOver }) => !isOver).map(({ event }) => event);
  }

  /** The first call that nobody has answered. */
  get next(): FakePost {
    const post = this.posts.find(({ isOver }) => !isOver);
    if (post === undefined) throw new Error('no call is under way');
    return post;
  }
}
