/** Milliseconds before each attempt to connect again; the last one for all further attempts. */
const RETRY_DELAYS = [0, 1000, 2000, 5000];
const PING_INTERVAL = 4000;

const retryDelay = (attempts) => RETRY_DELAYS[attempts] ?? RETRY_DELAYS.at(-1);

/**
 * The page's connection to the hub at `url`, which connects for ever: at first, and again whenever
 * it is lost. Only when the server says good-bye for good does it stay `disconnected` until
 * `connect()` is called. `transport` is the one to use, a name of `signalR.HttpTransportType`; with
 * any other text the client chooses.
 *
 * `on` has a function for each hub method the page offers. Events, with what is in `detail`:
 * `state` ('connecting', 'connected', 'reconnecting', 'disconnected') and `ping`, one each few
 * seconds while connected ({ room, milliseconds }).
 */
export class Connection extends EventTarget {
  state = 'disconnected';
  #hub;
  #transport = new WatchedTransport();

  constructor(url, on, transport) {
    super();
    this.#hub = new signalR.HubConnectionBuilder()
      .withUrl(url, {
        ...this.#transport.options,
        transport: signalR.HttpTransportType[transport],
      })
      .withAutomaticReconnect({
        nextRetryDelayInMilliseconds: ({ previousRetryCount }) => retryDelay(previousRetryCount),
      })
      .configureLogging(signalR.LogLevel.Warning)
      .build();
    for (const [method, handler] of Object.entries(on)) this.#hub.on(method, handler);
    this.#hub.onreconnecting(() => this.#enter('reconnecting'));
    this.#hub.onreconnected(() => this.#enter('connected'));
    this.#hub.onclose(() => this.#enter('disconnected'));
    setInterval(() => this.#ping(), PING_INTERVAL);
  }

  get id() {
    return this.#hub.connectionId ?? '';
  }

  get transport() {
    return this.#transport.name;
  }

  /** Connects if it is `disconnected`. The client's own reconnecting starts only after this. */
  async connect() {
    if (this.state !== 'disconnected') return;
    this.#enter('connecting');
    for (let attempts = 1; this.state === 'connecting'; attempts += 1) {
      try {
        await this.#hub.start();
        this.#enter('connected');
      } catch {
        await new Promise((resolve) => setTimeout(resolve, retryDelay(attempts)));
      }
    }
  }

  /** Calls a hub method and waits for its answer; rejects with the hub's own words. */
  async call(method, ...args) {
    try {
      return await this.#hub.invoke(method, ...args);
    } catch (error) {
      throw new Error(error.message.split('HubException: ').at(-1), { cause: error });
    }
  }

  /** Calls a hub method without an answer; nothing happens while there is no connection. */
  tell(method) {
    if (this.state === 'connected') this.#hub.send(method).catch(() => {});
  }

  async #ping() {
    if (this.state !== 'connected') return;
    const start = performance.now();
    try {
      const room = await this.#hub.invoke('ping');
      this.#announce('ping', { room, milliseconds: performance.now() - start });
    } catch {
      // The connection went meanwhile, and its own event tells so.
    }
  }

  #enter(state) {
    this.state = state;
    this.#announce('state', state);
    if (state === 'connected') void this.#ping();
  }

  #announce(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

/** The client does not say which transport it took, but it takes constructors: these remember. */
class WatchedTransport {
  #webSocket;
  #eventSource;
  options;

  constructor() {
    const opening = (webSocket) => (this.#webSocket = webSocket);
    const streaming = (eventSource) => (this.#eventSource = eventSource);
    this.options = {
      WebSocket: class extends WebSocket {
        constructor(...args) {
          super(...args);
          opening(this);
        }
      },
      EventSource: class extends EventSource {
        constructor(...args) {
          super(...args);
          streaming(this);
        }
      },
    };
  }

  get name() {
    if (this.#webSocket?.readyState === WebSocket.OPEN) return 'WebSockets';
    if (this.#eventSource?.readyState === EventSource.OPEN) return 'Server-Sent Events';
    return 'Long polling';
  }
}
