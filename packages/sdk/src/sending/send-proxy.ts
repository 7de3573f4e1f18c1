import { checkOptions } from '../option-tables/check.ts';
import { INVOKE_OPTIONS } from '../option-tables/tables.ts';
import { unheeded } from '../unheeded.ts';
import type { Destination } from './destination.ts';

/** What the library does behind a proxy. */
export interface Sender {
  /** Resolves when the message is handed to the service; undefined is nobody. */
  send(destination: Destination | undefined, target: string, args: unknown[]): Promise<void>;
  /** Resolves with the client's answer. */
  invoke(call: ClientCall): Promise<unknown>;
}

export interface ClientCall extends InvokeOptions {
  readonly connectionId: string;
  readonly target: string;
  readonly args: unknown[];
}

export interface InvokeOptions {
  /** Milliseconds to wait for the client's answer, or Infinity. Default 30 s. */
  readonly timeout?: number;
  /** Ends the wait. */
  readonly signal?: AbortSignal;
}

type Method = (
  this: { send(name: string, ...args: unknown[]): unknown },
  ...args: unknown[]
) => unknown;

/** Names are the app's own and few; past this many, functions are made for each use. */
export const MAX_METHODS = 1000;
const methods = new Map<string, Method>();

function methodNamed(name: string): Method {
  const known = methods.get(name);
  if (known !== undefined) return known;
  const method: Method = function (...args) {
    return this.send(name, ...args);
  };
  if (methods.size < MAX_METHODS) methods.set(name, method);
  return method;
}

/** What JavaScript itself calls: where a proxy is awaited, made JSON or text, nothing is sent. */
const NOT_METHODS: ReadonlySet<string> = new Set(['then', 'toJSON', 'toString', 'valueOf']);

/**
 * Answers any name with a method that sends it. It stands behind a proxy class' own members, so it
 * is asked only for names that those do not have.
 */
const anyName: object = new Proxy(Object.create(null) as object, {
  get: (_target, name) =>
    typeof name === 'string' && !NOT_METHODS.has(name) ? methodNamed(name) : undefined,
});

/** Sends to one destination, whatever method is called on it. */
export class SendProxy {
  readonly #sender: Sender;
  readonly #destination: Destination | undefined;

  constructor(sender: Sender, destination: Destination | undefined) {
    this.#sender = sender;
    this.#destination = destination;
  }

  /** Sends by name, for names that are members of the proxy itself. */
  send(name: string, ...args: unknown[]): Promise<void> {
    return unheeded(this.#sender.send(this.#destination, targetName(name), args));
  }
}

/** The same for a single connection, which can also be asked for an answer. */
export class SingleSendProxy extends SendProxy {
  readonly #sender: Sender;
  readonly #connectionId: string;

  constructor(sender: Sender, connectionId: string, destination: Destination | undefined) {
    super(sender, destination);
    this.#sender = sender;
    this.#connectionId = connectionId;
  }

  /** A proxy whose methods resolve with what the client's handler of that name answers. */
  invoke(options: InvokeOptions = {}): InvokeProxy {
    checkOptions('invoke', INVOKE_OPTIONS, options);
    return new InvokeProxy(this.#sender, this.#connectionId, options);
  }
}

export class InvokeProxy {
  readonly #sender: Sender;
  readonly #connectionId: string;
  readonly #options: InvokeOptions;

  constructor(sender: Sender, connectionId: string, options: InvokeOptions) {
    this.#sender = sender;
    this.#connectionId = connectionId;
    this.#options = options;
  }

  /** Invokes by name, for names that are members of the proxy itself. */
  send(target: string, ...args: unknown[]): Promise<unknown> {
    const call = { connectionId: this.#connectionId, target: targetName(target), args };
    return unheeded(this.#sender.invoke({ ...this.#options, ...call }));
  }
}

/** Held against plain JavaScript callers: clients end their connection at a call without a name. */
function targetName(name: string): string {
  if (typeof name === 'string') return name;
  throw new TypeError(`a client's method is named by a string, not by ${typeof name}`);
}

Object.setPrototypeOf(SendProxy.prototype, anyName);
Object.setPrototypeOf(InvokeProxy.prototype, anyName);
