import type { CallableNames, IsStream, StreamItem } from './hub-contract.ts';
import type { Hub } from './hub.ts';
import type { HubMethodOptions } from './hub-methods.ts';

// What a front end imports, as types alone, to have its connection held against a hub. The shapes are
// those of `@microsoft/signalr`, which a front end brings itself.

/** Where a client subscribes to a stream: what `connection.stream()` answers. */
export interface HubStream<Item> {
  subscribe(observer: HubStreamObserver<Item>): { dispose(): void };
}

export interface HubStreamObserver<Item> {
  closed?: boolean;
  next(value: Item): void;
  error(error: unknown): void;
  complete(): void;
}

/** What does not depend on the hub. For the rest of your client's own type, give it as `Connection`. */
export interface PlainConnection {
  readonly state: string;
  readonly connectionId: string | null;
  start(): Promise<void>;
  stop(): Promise<void>;
  onclose(callback: (error?: Error) => void): void;
  onreconnecting(callback: (error?: Error) => void): void;
  onreconnected(callback: (connectionId?: string) => void): void;
}

/** A hub, by the type of its objects or of its class. */
type HubOf<Chat> = Chat extends abstract new (...args: never) => infer Instance ? Instance : Chat;
/** What hubs of this type call on their clients. */
export type ClientOf<Chat> = HubOf<Chat> extends Hub<infer Client> ? Client : never;
type StaticMethods<Chat> = Chat extends { readonly methods: infer Methods } ? Methods : undefined;
type Method = (...args: never) => unknown;

/** Names that clients call to the hub's own names of its methods. */
type Names<Chat, Methods = StaticMethods<Chat>> = Methods extends readonly (infer Listed)[]
  ? { [Name in Listed & CallableNames<HubOf<Chat>>]: Name }
  : Methods extends Readonly<Record<string, HubMethodOptions>>
    ? { [Own in keyof Methods as ClientNames<Own, Methods[Own]>]: Own }
    : { [Name in CallableNames<HubOf<Chat>>]: Name };

type ClientNames<Own, Options> =
  | (Options extends { readonly name: infer Name extends string } ? Name : Own & string)
  | (Options extends { readonly aliases: readonly (infer Alias extends string)[] } ? Alias : never);

/** The methods of a hub by the names that clients call. */
export type Methods<Chat> = {
  [Name in keyof Names<Chat>]: Names<Chat>[Name] extends infer Own extends keyof HubOf<Chat>
    ? Extract<HubOf<Chat>[Own], Method>
    : never;
};

export type NamesOf<Chat, Streams extends boolean> = {
  [Name in keyof Methods<Chat>]: IsStream<ReturnType<Methods<Chat>[Name]>> extends Streams
    ? Name & string
    : never;
}[keyof Methods<Chat>];

/** What a client passes: where the method reads a stream, the client has one to subscribe to. */
type ClientArguments<Args extends readonly unknown[]> = {
  [Index in keyof Args]: Args[Index] extends AsyncIterable<infer Item>
    ? HubStream<Item>
    : Args[Index];
};

type Arguments<Chat, Name extends keyof Methods<Chat>> = ClientArguments<
  Parameters<Methods<Chat>[Name]>
>;

/** A handler of what the hub sends: it answers where the hub asks. */
type Handler<Called> = Called extends (...args: infer Args) => infer Answer
  ? (...args: Args) => [Awaited<Answer>] extends [void] ? void : Answer | Promise<Awaited<Answer>>
  : never;

/**
 * A `HubConnection` of `@microsoft/signalr` that knows its hub:
 * `const connection: TypedConnection<Chat> = new HubConnectionBuilder().withUrl('/chat').build()`.
 * Give `typeof Chat` where the class has a static `methods`, `as const`. The types are the server's:
 * what becomes of a value as JSON, a Date for example, they do not say.
 */
export type TypedConnection<Chat, Client = ClientOf<Chat>, Connection = PlainConnection> = Omit<
  Connection,
  'invoke' | 'send' | 'stream' | 'on' | 'off'
> & {
  invoke<Name extends NamesOf<Chat, false>>(
    name: Name,
    ...args: Arguments<Chat, Name>
  ): Promise<Awaited<ReturnType<Methods<Chat>[Name]>>>;
  send<Name extends NamesOf<Chat, false>>(
    name: Name,
    ...args: Arguments<Chat, Name>
  ): Promise<void>;
  stream<Name extends NamesOf<Chat, true>>(
    name: Name,
    ...args: Arguments<Chat, Name>
  ): HubStream<StreamItem<ReturnType<Methods<Chat>[Name]>>>;
  on<Name extends keyof Client & string>(name: Name, handler: Handler<Client[Name]>): void;
  off<Name extends keyof Client & string>(name: Name, handler?: Handler<Client[Name]>): void;
};
