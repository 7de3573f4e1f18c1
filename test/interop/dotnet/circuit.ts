import { type HubConnection, HubConnectionBuilder, LogLevel } from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';
import { Mailbox } from '@trunkline/testing';

const DEADLINE_MS = 30_000;

/** What comments in a prerendered page say of its component, and of the state that goes with it. */
const COMPONENT = /<!--Blazor:(\{"type":"server".*?\})-->/;
const STATE = /<!--Blazor-Server-Component-State:(.*?)-->/;

/** The page as its first request has it. */
export async function fetchPage(url: string): Promise<string> {
  return (await fetch(url)).text();
}

/**
 * What Blazor's script does in a browser, as far as the tests go: it opens a circuit for the one
 * component of a page, over the hub protocol `blazorpack`, and reads what is rendered as text.
 */
export class Circuit implements AsyncDisposable {
  /** Every change to the page so far, in a form that is binary but for texts. */
  rendered = '';
  readonly #url: string;
  #connection: HubConnection;
  /** Takes the circuit up again on another connection. */
  #secret = '';
  /** The object of .NET that takes events. */
  readonly #eventSinks = new Mailbox<number>();
  #calls = 0;

  /** Resolves once the circuit takes events. */
  static async open(url: string, page: string): Promise<Circuit> {
    const [component, state] = [COMPONENT.exec(page)?.[1], STATE.exec(page)?.[1]];
    if (component === undefined) throw new Error(`there is no component in\n${page}`);
    const circuit = new Circuit(url);
    await circuit.#start(url, component, state ?? '');
    return circuit;
  }

  private constructor(url: string) {
    this.#url = url;
    this.#connection = this.#build();
  }

  /** Clicks on what was rendered with the nth event handler, counted from 1. */
  async click(eventHandlerId: number): Promise<void> {
    const sink = await this.#eventSinks.first(() => true, 'an object for events', DEADLINE_MS);
    const event = { eventHandlerId, eventName: 'click', eventFieldInfo: null };
    const args = JSON.stringify([event, { type: 'click', detail: 1 }]);
    const call = String(++this.#calls);
    const method = 'DispatchEventAsync';
    await this.#connection.send('BeginInvokeDotNetFromJS', call, null, method, sink, args);
  }

  /** Waits for the connection's end, then takes the circuit up on another one, if it is still there. */
  async reconnect(cut: () => void): Promise<boolean> {
    const lost = new Promise<void>((resolve) => this.#connection.onclose(() => resolve()));
    cut();
    await lost;
    this.#connection = this.#build();
    await this.#connection.start();
    return this.#connection.invoke<boolean>('ConnectCircuit', this.#secret);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection.stop();
  }

  async #start(url: string, component: string, state: string): Promise<void> {
    await this.#connection.start();
    const [base, at] = [`${url}/`, `${url}/`];
    this.#secret = await this.#connection.invoke<string>('StartCircuit', base, at, '[]', '');
    const operation = { type: 'add', ssrComponentId: 1, marker: JSON.parse(component) as unknown };
    const operations = JSON.stringify({ batchId: 1, operations: [operation] });
    await this.#connection.send('UpdateRootComponents', operations, state);
    await this.#eventSinks.first(() => true, 'an object for events', DEADLINE_MS);
  }

  #build(): HubConnection {
    const protocol = Object.assign(new MessagePackHubProtocol(), { name: 'blazorpack' });
    const connection = new HubConnectionBuilder()
      .withUrl(`${this.#url}/_blazor`)
      .withHubProtocol(protocol)
      .configureLogging(LogLevel.None)
      .build();
    connection.on('JS.RenderBatch', (id: number, batch: Uint8Array) => {
      this.rendered += Buffer.from(batch).toString();
      void connection.send('OnRenderCompleted', id, null);
    });
    connection.on('JS.BeginInvokeJS', (call: number, identifier: string, args: string | null) => {
      const answer = JSON.stringify([call, true, this.#run(identifier, args ?? '[]')]);
      if (call !== 0) void connection.send('EndInvokeJSFromDotNet', call, true, answer);
    });
    connection.on('JS.Error', (error: string) => {
      this.rendered += error;
    });
    for (const other of [
      'JS.EndInvokeDotNet',
      'JS.EndUpdateRootComponents',
      'JS.AttachComponent',
    ]) {
      connection.on(other, () => {});
    }
    return connection;
  }

  /** The page's own functions, and Blazor's: what they return. */
  #run(identifier: string, args: string): unknown {
    const values = JSON.parse(args) as unknown[];
    if (identifier === 'echo') return values[0];
    if (identifier === 'Blazor._internal.attachWebRendererInterop') {
      this.#eventSinks.add((values[1] as { __dotNetObject: number }).__dotNetObject);
    }
    return null;
  }
}
