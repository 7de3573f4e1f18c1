import { MessageType } from '@trunkline/protocol';

import { Mailbox } from '../fakes/mailbox.ts';
import { DotnetAppServer, type DotnetAppServerOptions } from './dotnet-app-server.ts';
import {
  call,
  data,
  FakeService,
  JSON_HANDSHAKE,
  open,
  result,
  type ServiceSide,
} from './fake-service.test-support.ts';
import { type HubCall, type HubDefinition, type HubOptions, method } from './hub/definition.ts';
import type { HubServer } from './hub-server.ts';
import { ManualClock, settle } from './manual-clock.test-support.ts';

/** What happened in the hub: a connection came, or went with an exception's name, or without. */
export interface HubEvent {
  readonly type: 'connected' | 'disconnected';
  readonly id: string;
  readonly error?: string | undefined;
}

export interface SceneOptions extends Partial<DotnetAppServerOptions> {
  readonly hubOptions?: HubOptions;
  readonly methods?: HubDefinition['methods'];
  readonly onConnected?: (call: HubCall) => unknown;
  /** Awaited before a disconnected client is let go. */
  readonly onDisconnected?: () => unknown;
  /** The service does not answer handshakes, and nobody waits for one. */
  readonly silentService?: boolean;
}

/** A stand-in on a fake service, with time in the test's hands. One server connection, hub `chat`. */
export class Scene implements AsyncDisposable {
  readonly service: FakeService;
  readonly clock = new ManualClock();
  readonly app: DotnetAppServer;
  readonly hub: HubServer;
  readonly events = new Mailbox<HubEvent>();
  readonly logged: string[] = [];
  /** The latest call of `hold`: a context in the hands of the test. */
  readonly calls: HubCall[] = [];

  static async start(options: SceneOptions = {}): Promise<Scene> {
    const { silentService = false } = options;
    const scene = new Scene(await FakeService.start(), options);
    scene.service.answers.handshake = !silentService;
    const started = scene.app.start();
    if (!silentService) await started;
    await settle();
    return scene;
  }

  private constructor(service: FakeService, options: SceneOptions) {
    const { hubOptions, methods = {}, onConnected, onDisconnected, ...appOptions } = options;
    this.service = service;
    this.app = new DotnetAppServer({
      connectionString: service.connectionString,
      connections: 1,
      clock: this.clock,
      log: (line) => this.logged.push(line),
      ...appOptions,
    });
    const definition: HubDefinition = {
      methods: {
        echo: method((_call: HubCall, value: unknown) => value),
        items: method(({ context }: HubCall) => [...context.items.keys()]),
        keep: method(({ context }: HubCall, value: unknown) => void context.items.set(value, true)),
        /** Gives its call to the test and never ends. */
        hold: method((call: HubCall) => {
          this.calls.push(call);
          return new Promise(() => {});
        }),
        /** Gives its call to the test. */
        lend: method((call: HubCall) => void this.calls.push(call)),
        ...methods,
      },
      onConnected: async (call) => {
        this.events.add({ type: 'connected', id: call.context.connectionId });
        await onConnected?.(call);
      },
      onDisconnected: async ({ context: { connectionId: id } }, error) => {
        this.events.add({ type: 'disconnected', id, error: error?.name });
        await onDisconnected?.();
      },
    };
    this.hub = this.app.hub('Chat', definition, hubOptions);
  }

  side(index = 0): Promise<ServiceSide> {
    return this.service.side(index);
  }

  /** Opens a client with its handshake, and waits for the response. */
  async client(
    id: string,
    { side, ...changes }: Parameters<typeof open>[1] & { side?: ServiceSide } = {},
  ): Promise<ServiceSide> {
    const at = side ?? (await this.side());
    await at.frame(MessageType.HandshakeRequest);
    at.write(open(id, changes), data(id, JSON_HANDSHAKE));
    await at.frame(MessageType.ConnectionData, ({ connectionId }) => connectionId === id);
    return at;
  }

  /** The context of a call of this client's, for the test to use. */
  async lend(id: string, side: ServiceSide): Promise<HubCall> {
    const before = this.calls.length;
    side.write(data(id, call('lent', 'lend')));
    await this.data(side, id, result('lent', null));
    return this.calls[before]!;
  }

  /** Whether a hub call on this connection is answered now. */
  async answers(id: string, side: ServiceSide): Promise<boolean> {
    const tag = `${id} ${this.clock.now()} ${Math.random()}`;
    side.write(data(id, call(tag, 'echo', 1)));
    await settle();
    return side.data(id).join('').includes(result(tag, 1));
  }

  /** Waits for bytes to a client that end with `text`, which may come merged with others. */
  data(side: ServiceSide, id: string, text: string): Promise<unknown> {
    return side.frame(MessageType.ConnectionData, ({ connectionId, payload }) => {
      return connectionId === id && Buffer.from(payload).toString().endsWith(text);
    });
  }

  disconnected(id: string): Promise<HubEvent> {
    return this.events.first(
      (event) => event.type === 'disconnected' && event.id === id,
      `OnDisconnected of ${id}`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.app.kill();
    await this.service[Symbol.asyncDispose]();
  }
}
