import assert from 'node:assert/strict';
import type { ClientInvocation } from '@trunkline/protocol';
import { MessageType } from '@trunkline/protocol';
import type { FakeClient, FakeServer } from './fixtures.test-support.ts';
import { JSON_HANDSHAKE, payloads, readable } from './fixtures.test-support.ts';

/** A call with an upload has its items and its end sent after it, as official clients do. */
export type Kind = 'call' | 'stream' | 'upload' | 'send';

interface Message {
  readonly type: number;
  readonly invocationId?: string;
  readonly arguments?: readonly unknown[];
  readonly streamIds?: readonly string[];
  readonly item?: number;
  readonly error?: string;
}

const ITEMS = 3;
/** What an app server may say to a client that has just been taken from it. */
const LATE = '{"type":1,"target":"late","arguments":[]}␞';

const records = (text: string): Message[] =>
  text
    .split('␞')
    .slice(0, -1)
    .map((json) => JSON.parse(json) as Message);

const completion = (id: string): string => `{"type":3,"invocationId":"${id}","result":0}␞`;

/** What one process knows, whichever of its connections has told it. */
export class AppProcess {
  /** Its clients, by the connection that it has them on. */
  readonly books = new Map<string, AppConnection>();
  /** Client results that it waits for: of which client, and which connection asked. */
  readonly asked = new Map<string, { readonly client: string; readonly by: AppConnection }>();
  /** Those that the edge has answered. */
  readonly told = new Set<string>();
  readonly connections = new Set<AppConnection>();
  readonly serverId: string;
  departing = false;
  /** Connections that it does not know to be lost, with the time of the loss (ms). */
  readonly lost = new Map<AppConnection, number>();
  #asks = 0;

  constructor(serverId: string) {
    this.serverId = serverId;
  }

  get live(): AppConnection[] {
    return [...this.connections].filter(({ server }) => server.socket.isOpen);
  }

  /** It sees that a connection is lost, and lets go of the clients it had there. */
  notices(connection: AppConnection): void {
    this.lost.delete(connection);
    this.connections.delete(connection);
    for (const [id, where] of this.books) if (where === connection) this.letGo(id);
    for (const [ask, { by }] of this.asked) if (by === connection) this.asked.delete(ask);
  }

  letGo(id: string): void {
    this.books.delete(id);
    for (const [ask, { client }] of this.asked) if (client === id) this.asked.delete(ask);
  }

  ask(connectionId: string, by: AppConnection): ClientInvocation {
    const invocationId = `${connectionId}-${this.serverId}-${this.#asks++}`;
    this.asked.set(invocationId, { client: connectionId, by });
    return {
      type: MessageType.ClientInvocation,
      invocationId,
      connectionId,
      callerServerId: this.serverId,
      payloads: payloads({
        json: `{"type":1,"invocationId":"${invocationId}","target":"q","arguments":[]}␞`,
      }),
    };
  }

  answered(invocationId: string): void {
    assert(!this.told.has(invocationId), 'a result or its failure told twice');
    this.told.add(invocationId);
    this.asked.delete(invocationId);
  }
}

/** The hub behind one server connection: it says what it is let say, in the order it began. */
export class AppConnection {
  readonly server: FakeServer;
  readonly process: AppProcess;
  /** By client: what is left to be said. */
  readonly #work = new Map<string, string[]>();
  /** Clients that have been taken away, and do not know that yet where messages are made. */
  #taken: string[] = [];
  readonly #shaken = new Set<string>();
  readonly #migrated = new Set<string>();
  /** Uploads whose calls have come here: ends of others are of a former life. */
  readonly #uploads = new Set<string>();
  /** Results that other processes want of its clients. */
  readonly #routed = new Set<string>();
  /** The mode in which it has said, last, that it goes. */
  fin: number | undefined;
  readonly #sends: [string, number][];

  /** `sends`: where it notes the numbers that clients send, with their ids. */
  constructor(server: FakeServer, process: AppProcess, sends: [string, number][]) {
    this.server = server;
    this.process = process;
    this.#sends = sends;
  }

  /** Reads what has come; answers handshakes of clients that are new. */
  async read(): Promise<void> {
    for (const message of await this.server.messages()) {
      const { type } = message;
      if (type === MessageType.OpenConnection) {
        this.#opened(message.connectionId, message.headers.has('Asrs-Migrate-From'));
      } else if (type === MessageType.CloseConnection) this.#closed(message.connectionId);
      else if (type === MessageType.ConnectionData) {
        this.#data(message.connectionId, readable(message.payload));
      } else if (type === MessageType.ClientInvocation) this.#routed.add(message.invocationId);
      else if (type === MessageType.ClientCompletion || type === MessageType.ErrorCompletion) {
        this.process.answered(message.invocationId);
      } else if (type === MessageType.Ping && message.entries[1] === 'finack' && this.fin === 0) {
        assert.equal(this.#work.size, 0, 'clients left when the process may end them');
      }
    }
  }

  /** Says the next thing for each client, or half of it. True if there was any. */
  say(half = false): boolean {
    if (!this.server.socket.isOpen) return false;
    for (const id of this.#taken) this.server.data({ id }, LATE);
    this.#taken = [];
    let any = false;
    for (const [id, work] of this.#work) {
      const next = work.shift();
      if (next === undefined) continue;
      any = true;
      const end = half ? next.length >> 1 : next.length;
      if (end < next.length) work.unshift(next.slice(end));
      this.server.data({ id }, next.slice(0, end));
    }
    return any;
  }

  #opened(id: string, migrated: boolean): void {
    assert(!this.process.books.has(id), 'a client that the process still has');
    this.process.books.set(id, this);
    this.#work.set(id, []);
    this.#shaken.delete(id);
    for (const upload of this.#uploads) if (upload.startsWith(id)) this.#uploads.delete(upload);
    if (migrated) this.#migrated.add(id);
  }

  #closed(id: string): void {
    this.#taken.push(id);
    this.#work.delete(id);
    this.process.letGo(id);
  }

  #data(id: string, text: string): void {
    const work = this.#work.get(id);
    assert(work !== undefined, 'data of a client that was not opened');
    let rest = text;
    if (!this.#shaken.has(id)) {
      assert(text.startsWith(JSON_HANDSHAKE), 'something before the handshake request');
      this.#shaken.add(id);
      if (!this.#migrated.has(id)) this.server.data({ id }, '{}␞');
      rest = text.slice(JSON_HANDSHAKE.length);
    }
    for (const message of records(rest)) work.push(...this.#take(id, message));
  }

  /** What a message makes the hub say to the client. */
  #take(id: string, { type, invocationId, streamIds = [], ...rest }: Message): string[] {
    assert(this.fin === undefined || (type !== 1 && type !== 4), 'a new call after fin');
    if (type === 1 && invocationId === undefined) {
      this.#sends.push([id, rest.arguments![0] as number]);
      return [];
    }
    if (type === 1 && streamIds.length === 0) return [completion(invocationId!)];
    if (type === 4) {
      const item = (n: number): string =>
        `{"type":2,"invocationId":"${invocationId}","item":${n}}␞`;
      return [...Array.from({ length: ITEMS }, (_, n) => item(n)), completion(invocationId!)];
    }
    for (const upload of streamIds) this.#uploads.add(id + upload);
    if (type !== 3) return [];
    // The end of an upload, named like its call, ends that.
    if (this.#uploads.delete(id + invocationId!)) return [completion(invocationId!.slice(1))];
    this.#result(id, invocationId!);
    return [];
  }

  /** The client's answer to a question, its own process's or another's. */
  #result(connectionId: string, invocationId: string): void {
    const own = this.process.asked.delete(invocationId);
    if (!own && !this.#routed.delete(invocationId)) return;
    this.server.says({
      type: MessageType.ClientCompletion,
      invocationId,
      connectionId,
      callerServerId: this.process.serverId,
      protocol: 'json',
      payload: own ? new Uint8Array(0) : Buffer.from(completion(invocationId)),
    });
  }
}

/** A client that counts what it says, and keeps what is open. */
export class Caller {
  readonly client: FakeClient;
  readonly open = new Map<string, Kind>();
  readonly uploads: string[] = [];
  sent = 0;
  failed = 0;
  readonly #answered = new Set<string>();
  readonly #items = new Map<string, number>();
  /** Questions of hubs that it has not answered. */
  #questions: string[] = [];
  /** What it has begun to say and not ended. */
  #rest = '';
  #next = 0;
  /** Beyond the handshake response. */
  #read = 1;

  constructor(client: FakeClient) {
    this.client = client;
  }

  /** `half`: the end of it comes with whatever it says next. */
  begin(kind: Kind, half: boolean): void {
    const id = String(this.#next++);
    const args = `"target":"a","arguments":[${kind === 'send' ? this.sent++ : id}]`;
    if (kind === 'send') return this.#say(`{"type":1,${args}}␞`, half);
    this.open.set(id, kind);
    if (kind === 'upload') this.uploads.push(id);
    const streams = kind === 'upload' ? `,"streamIds":["u${id}"]` : '';
    const type = kind === 'stream' ? 4 : 1;
    this.#say(`{"type":${type},"invocationId":"${id}",${args}${streams}}␞`, half);
  }

  /** Ends the oldest upload. */
  endUpload(): void {
    const id = this.uploads.shift();
    if (id === undefined) return;
    this.#say(`{"type":2,"invocationId":"u${id}","item":1}␞{"type":3,"invocationId":"u${id}"}␞`);
  }

  answer(): void {
    const answers = this.#questions.map(completion);
    this.#questions = [];
    this.#say(answers.join(''));
  }

  /** Reads what has come, and checks it. */
  read(): void {
    const text = this.client.heard.slice(this.#read).join('');
    this.#read = this.client.heard.length;
    for (const message of records(text)) this.#check(message);
  }

  /** Ends a message that it has said half of. */
  goOn(): void {
    if (this.#rest !== '') this.#say('');
  }

  #say(text: string, half = false): void {
    if (!this.client.socket.isOpen) return;
    const whole = this.#rest + text;
    const end = half ? whole.length - 5 : whole.length;
    this.#rest = whole.slice(end);
    if (end > 0) this.client.says(whole.slice(0, end));
  }

  #check({ type, invocationId, item, error }: Message): void {
    assert(type !== undefined, 'a second handshake response');
    if (type === 1) {
      assert(invocationId !== undefined, 'words of a former server');
      this.#questions.push(invocationId);
    } else if (type === 2) {
      const next = this.#items.get(invocationId!) ?? 0;
      assert.equal(item, next, 'items out of order, or twice');
      assert(this.open.has(invocationId!), 'an item after the end');
      this.#items.set(invocationId!, next + 1);
    } else if (type === 3) {
      assert(!this.#answered.has(invocationId!), 'a call answered twice');
      if (error !== undefined) this.failed++;
      else if (this.open.get(invocationId!) === 'stream') {
        assert.equal(this.#items.get(invocationId!), ITEMS, 'a stream without its end');
      }
      this.open.delete(invocationId!);
      this.#answered.add(invocationId!);
    }
  }
}
