import type { ByteReader, ByteWriter } from '@trunkline/protocol';

/** An app process that serves a hub at an edge, with all of its server connections there. */
export interface HostStatus {
  readonly serverId: string;
  /** Of its connections, those that get more clients. */
  readonly open: number;
  /** Clients that all of its connections serve. */
  readonly clients: number;
}

export interface HubStatus {
  readonly name: string;
  readonly hosts: readonly HostStatus[];
}

/** How an edge is, as it tells the others with each heartbeat. */
export interface EdgeStatus {
  /** Where clients reach this edge and no other; empty where there is no such address. */
  readonly publicUrl: string;
  readonly clients: number;
  /** It takes no clients any more, and goes. */
  readonly isDraining: boolean;
  /** Other edges hold connections whose ids it has minted, or have done so. */
  readonly handsOver: boolean;
  /** Hubs that have app servers there. */
  readonly hubs: readonly HubStatus[];
  /** Hubs that have clients there, whoever serves these. */
  readonly clientHubs: readonly string[];
}

/** Of an edge that does not say: one of an older version. */
export const NO_STATUS: EdgeStatus = {
  publicUrl: '',
  clients: 0,
  isDraining: false,
  handsOver: false,
  hubs: [],
  clientHubs: [],
};

export function writeStatus(writer: ByteWriter, status: EdgeStatus): void {
  writer.arrayHeader(6);
  writer.text(status.publicUrl);
  writer.int(status.clients);
  writer.boolean(status.isDraining);
  writer.boolean(status.handsOver);
  writer.arrayHeader(status.hubs.length);
  for (const { name, hosts } of status.hubs) {
    writer.arrayHeader(2);
    writer.text(name);
    writer.arrayHeader(hosts.length);
    for (const { serverId, open, clients } of hosts) {
      writer.arrayHeader(3);
      writer.text(serverId);
      writer.int(open);
      writer.int(clients);
    }
  }
  writer.arrayHeader(status.clientHubs.length);
  for (const name of status.clientHubs) writer.text(name);
}

/** Throws ProtocolError for what is none. */
export function readStatus(reader: ByteReader): EdgeStatus {
  const elements = reader.arrayHeader();
  return {
    publicUrl: reader.text(),
    clients: reader.int(),
    isDraining: reader.boolean(),
    handsOver: reader.boolean(),
    hubs: readMany(reader, () => {
      reader.arrayHeader();
      return { name: reader.text(), hosts: readMany(reader, () => readHost(reader)) };
    }),
    // An older version does not say.
    clientHubs: elements < 6 ? [] : readMany(reader, () => reader.text()),
  };
}

function readHost(reader: ByteReader): HostStatus {
  reader.arrayHeader();
  return { serverId: reader.text(), open: reader.int(), clients: reader.int() };
}

function readMany<T>(reader: ByteReader, readOne: () => T): T[] {
  const many: T[] = [];
  for (let left = reader.arrayHeader(); left > 0; left--) many.push(readOne());
  return many;
}
