import { MessageType as M } from '../message.ts';
import type { OpenConnection, ServiceMessage } from '../message.ts';
import type { Vector } from './vector.ts';
import { ascii, hex, tracing } from './vector.ts';

const NAME_IDENTIFIER = 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier';

function open(connectionId: string, rest: Partial<OpenConnection> = {}): ServiceMessage {
  return {
    type: M.OpenConnection,
    connectionId,
    claims: [],
    headers: new Map(),
    queryString: '',
    ...rest,
  };
}

function close(connectionId: string, errorMessage: string, migrateTo?: string): ServiceMessage {
  const headers = new Map(migrateTo === undefined ? [] : [['Asrs-Migrate-To', [migrateTo]]]);
  return { type: M.CloseConnection, connectionId, errorMessage, headers };
}

function flow(connectionId: string, connectionType: number, operation: number): ServiceMessage {
  return { type: M.ConnectionFlowControl, connectionId, connectionType, operation };
}

/** Rows 19 to 30, 57, 60, 62 and section 20.1: the life of a client connection, and its data. */
export const CLIENT_CONNECTION_VECTORS: readonly Vector[] = [
  {
    name: '19 OpenConnection, empty',
    hex: '0c | 96 04 a5636f6e6e31 80 80 a0 80',
    message: open('conn1'),
  },
  {
    name: '20 OpenConnection with its hub protocol',
    hex: '12 | 96 04 a5636f6e6e31 80 80 a0 81 03 a46a736f6e',
    message: open('conn1', { protocol: 'json' }),
  },
  {
    name: '21 OpenConnection with a claim',
    hex: `58 | 96 04 a5636f6e6e32 81 d944 ${ascii(NAME_IDENTIFIER)} a57573657231 80 a0 80`,
    message: open('conn2', { claims: [[NAME_IDENTIFIER, 'user1']] }),
  },
  {
    name: '22 OpenConnection with a repeated claim, a header and a query',
    hex:
      '62 | 96 04 a26331 83 aa617372732e732e756964 a5616c696365 a4726f6c65 a561646d696e ' +
      'a4726f6c65 a36f7073 81 b0417372732d496e7374616e63652d4964 91 a26931 ' +
      'b93f6875623d6368617426617372732e6f703d25324663686174 81 03 a46a736f6e',
    message: open('c1', {
      claims: [
        ['asrs.s.uid', 'alice'],
        ['role', 'admin'],
        ['role', 'ops'],
      ],
      headers: new Map([['Asrs-Instance-Id', ['i1']]]),
      queryString: '?hub=chat&asrs.op=%2Fchat',
      protocol: 'json',
    }),
  },
  {
    name: '23 OpenConnection, migrated',
    hex: '27 | 96 04 a26331 80 81 b1417372732d4d6967726174652d46726f6d 91 a473727641 a0 81 03 a46a736f6e',
    message: open('c1', {
      headers: new Map([['Asrs-Migrate-From', ['srvA']]]),
      protocol: 'json',
    }),
  },
  {
    name: '24 CloseConnection',
    hex: '0b | 95 05 a5636f6e6e33 a0 80 80',
    message: close('conn3', ''),
  },
  {
    name: '25 CloseConnection with an error',
    hex: '19 | 95 05 a5636f6e6e34 ae4572726f72206d6573736167652e 80 80',
    message: close('conn4', 'Error message.'),
  },
  {
    name: '26 CloseConnection, migrating',
    hex: '1e | 95 05 a26331 a0 81 af417372732d4d6967726174652d546f 91 a473727642 80',
    message: close('c1', '', 'srvB'),
  },
  {
    name: '27 ConnectionData',
    hex: '12 | 94 06 a5636f6e6e35 c40701020304050607 80',
    message: {
      type: M.ConnectionData,
      connectionId: 'conn5',
      payload: hex('01020304050607'),
    },
  },
  {
    name: '28 ConnectionData, traced',
    hex: '16 | 94 06 a5636f6e6e35 c40701020304050607 81 01 cd04d2',
    message: {
      type: M.ConnectionData,
      connectionId: 'conn5',
      payload: hex('01020304050607'),
      tracingId: tracing(1234),
    },
  },
  {
    name: '29 ConnectionData, part of an invocation',
    hex: '16 | 94 06 a5636f6e6e36 c40701020304050607 82 05 02 06 c3',
    message: {
      type: M.ConnectionData,
      connectionId: 'conn6',
      payload: hex('01020304050607'),
      dataType: 2,
      partial: true,
    },
  },
  {
    name: '30 ConnectionData of 70,000 bytes',
    hex: `fca204 | 94 06 a3616263 c600011170 ${'61'.repeat(70_000)} 80`,
    message: {
      type: M.ConnectionData,
      connectionId: 'abc',
      payload: Buffer.alloc(70_000, 'a'),
    },
  },
  {
    name: '57 ConnectionReconnect',
    hex: '09 | 93 26 a5636f6e6e37 80',
    message: { type: M.ConnectionReconnect, connectionId: 'conn7' },
  },
  {
    name: '60 ConnectionFlowControl, client, pause',
    hex: '13 | 95 27 a5636f6e6e31 d200000001 d200000001 80',
    message: flow('conn1', 1, 1),
  },
  {
    name: '60 ConnectionFlowControl, server, offline',
    hex: '13 | 95 27 a5636f6e6e32 d200000002 d200000004 80',
    message: flow('conn2', 2, 4),
  },
  {
    name: '62 and 20.1 ConnectionData, handshake response',
    hex: '0d | 94 06 a26331 c4037b7d1e 81 05 01',
    message: {
      type: M.ConnectionData,
      connectionId: 'c1',
      payload: hex('7b7d1e'),
      dataType: 1,
    },
  },
  {
    name: '20.1 ConnectionData, hub close frame',
    hex: '15 | 94 06 a26331 c40b 7b2274797065223a377d1e 81 05 04',
    message: {
      type: M.ConnectionData,
      connectionId: 'c1',
      payload: Buffer.from('{"type":7}\u001e'),
      dataType: 4,
    },
  },
  {
    name: '20.1 CloseConnection after Abort()',
    hex: '08 | 95 05 a26331 a0 80 80',
    message: close('c1', ''),
  },
  {
    name: '20.1 ConnectionFlowControl, pause acknowledged',
    hex: '10 | 95 27 a26331 d200000001 d200000002 80',
    message: flow('c1', 1, 2),
  },
];
