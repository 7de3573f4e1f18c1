import type { HubConnection } from '@microsoft/signalr';
import { Subject } from '@microsoft/signalr';
import { describe, expectTypeOf, test } from 'vitest';
import * as z from 'zod';

import { Hub } from './hub.ts';
import type { HubMethods } from './hub-methods.ts';
import type { HubStream, TypedConnection } from './typed-connection.ts';

// The compiler is who checks these, as part of `npm run check`: hardly anything here runs.

interface ChatClient {
  message(user: string, text: string): void;
  confirm(question: string): boolean;
}

class Chat extends Hub<ChatClient> {
  async say(_user: string, _text?: string): Promise<number> {
    return 1;
  }
  nothing(): void {}
  async *countdown(_from: number): AsyncGenerator<number> {}
  *letters(): Generator<string> {}
  async later(): Promise<ReadableStream<{ n: number }>> {
    return new ReadableStream();
  }
  async sum(_scale: number, _numbers: AsyncIterable<number>): Promise<number> {
    return 1;
  }
  async *echo(items: AsyncIterable<string>): AsyncGenerator<string> {
    yield* items;
  }
  _helper(): void {}
  anything(): Promise<ReturnType<typeof JSON.parse>> {
    return Promise.resolve(1);
  }
  endless(): Promise<never> {
    return new Promise(() => {});
  }
  field = 1;
}

const connection = {} as TypedConnection<Chat>;
const plain = {} as HubConnection;

/** For what must only compile, or must not. */
function compile(_act: () => unknown): void {}

describe('a typed connection', () => {
  test('is what @microsoft/signalr builds', () => {
    expectTypeOf(plain).toExtend<TypedConnection<Chat>>();
    expectTypeOf(plain).toExtend<TypedConnection<Chat, ChatClient, HubConnection>>();
    expectTypeOf<
      TypedConnection<Chat, ChatClient, HubConnection>['serverTimeoutInMilliseconds']
    >().toEqualTypeOf<number>();
    expectTypeOf(connection.start).returns.toEqualTypeOf<Promise<void>>();
  });

  test('invokes and sends what answers once', () => {
    expectTypeOf(() => connection.invoke('say', 'ada', 'hi')).returns.resolves.toBeNumber();
    expectTypeOf(() => connection.invoke('nothing')).returns.resolves.toBeVoid();
    expectTypeOf(() => connection.invoke('endless')).returns.resolves.toBeNever();
    expectTypeOf(() => connection.invoke('anything')).returns.resolves.toBeAny();
    expectTypeOf(() => connection.send('say', 'ada')).returns.resolves.toBeVoid();
    compile(() => {
      // @ts-expect-error: an argument is missing
      void connection.invoke('say');
      // @ts-expect-error: of another type
      void connection.invoke('say', 1);
      // @ts-expect-error: one too many
      void connection.send('nothing', 1);
      // @ts-expect-error: no such method
      void connection.invoke('missing');
      // @ts-expect-error: it streams
      void connection.invoke('countdown', 1);
    });
  });

  test('does not know what clients cannot call', () => {
    type Name = Parameters<typeof connection.send>[0];
    expectTypeOf<Extract<Name, '_helper' | 'field' | 'onConnected' | 'context'>>().toBeNever();
    compile(() => {
      // @ts-expect-error: clients cannot call it
      void connection.invoke('_helper');
      // @ts-expect-error: no method
      void connection.invoke('field');
      // @ts-expect-error: a lifecycle hook
      void connection.invoke('onConnected');
    });
  });

  test('streams what streams', () => {
    expectTypeOf(() => connection.stream('countdown', 3)).returns.toEqualTypeOf<
      HubStream<number>
    >();
    expectTypeOf(() => connection.stream('letters')).returns.toEqualTypeOf<HubStream<string>>();
    expectTypeOf(() => connection.stream('later')).returns.toEqualTypeOf<
      HubStream<{ n: number }>
    >();
    // @ts-expect-error: it answers once
    compile(() => connection.stream('say', 'ada'));
  });

  test('uploads subjects', () => {
    expectTypeOf(() => connection.invoke('sum', 2, new Subject<number>())).toBeFunction();
    expectTypeOf(() => connection.stream('echo', new Subject<string>())).returns.toEqualTypeOf<
      HubStream<string>
    >();
    // @ts-expect-error: items of another type
    compile(() => connection.invoke('sum', 2, new Subject<string>()));
  });

  test('handles what the hub calls', () => {
    compile(() => {
      connection.on('message', (user, text) => {
        expectTypeOf([user, text]).toEqualTypeOf<string[]>();
      });
      connection.on('confirm', (question) => question === 'sure?');
      connection.on('confirm', async () => true);
      connection.off('message');
      // @ts-expect-error: the hub waits for an answer
      connection.on('confirm', () => {});
      // @ts-expect-error: of another type
      connection.on('message', (_user: number) => {});
      // @ts-expect-error: the hub never calls it
      connection.on('missing', () => {});
    });
  });
});

describe('with a static methods', () => {
  class Listed extends Chat {
    static readonly methods = ['say', '_helper'] as const;
  }
  class Mapped extends Chat {
    static readonly methods = {
      say: { name: 'SendMessage', aliases: ['Say', 'Speak'], parameters: [z.string(), z.string()] },
      sum: { parameters: [z.number()], uploads: [z.number()] },
      countdown: {},
    } as const satisfies HubMethods<Chat>;
  }

  test('a list leaves out the others', () => {
    const listed = {} as TypedConnection<typeof Listed>;
    expectTypeOf(() => listed.invoke('say', 'ada')).returns.resolves.toBeNumber();
    // @ts-expect-error: not in the list
    compile(() => listed.invoke('nothing'));
  });

  test('a map renames', () => {
    const mapped = {} as TypedConnection<typeof Mapped>;
    expectTypeOf(() => mapped.invoke('SendMessage', 'ada')).returns.resolves.toBeNumber();
    expectTypeOf(() => mapped.invoke('Speak', 'ada')).returns.resolves.toBeNumber();
    expectTypeOf(() => mapped.stream('countdown', 1)).returns.toEqualTypeOf<HubStream<number>>();
    compile(() => {
      mapped.on('confirm', () => true);
      // @ts-expect-error: it has another name
      void mapped.invoke('say', 'ada');
    });
  });

  test('schemas must fit the parameters', () => {
    expectTypeOf<{ say: { name: 'Say' }; countdown: object }>().toExtend<HubMethods<Chat>>();
    compile(() => {
      void ({
        say: { parameters: [z.string(), z.string().optional()] },
      } satisfies HubMethods<Chat>);
      void ({
        // @ts-expect-error: the first parameter is a string
        say: { parameters: [z.number()] },
      } satisfies HubMethods<Chat>);
      void ({
        // @ts-expect-error: no such method
        missing: {},
      } satisfies HubMethods<Chat>);
      void ({
        sum: {
          parameters: [z.number()],
          // @ts-expect-error: it reads numbers
          uploads: [z.string()],
        },
      } satisfies HubMethods<Chat>);
      void ({
        say: {
          authorize: ({ userIdentifier }, [user]) => userIdentifier === user,
        },
      } satisfies HubMethods<Chat>);
    });
  });
});
