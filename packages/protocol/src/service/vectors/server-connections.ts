import { MessageType as M } from '../message.ts';
import type { HandshakeRequest, ServiceMessage } from '../message.ts';
import type { Vector } from './vector.ts';

const DEFAULT_HANDSHAKE: HandshakeRequest = {
  type: M.HandshakeRequest,
  version: 1,
  connectionType: 0,
  target: '',
  migrationLevel: 0,
};

function answer(errorMessage: string, connectionId: string | undefined): ServiceMessage {
  return { type: M.HandshakeResponse, errorMessage, connectionId };
}

function ping(...entries: string[]): ServiceMessage {
  return { type: M.Ping, entries };
}

/** Rows 1 to 18, 38, 44, 49, 50, 58 and section 20.1: the life of a server connection. */
export const SERVER_CONNECTION_VECTORS: readonly Vector[] = [
  { name: '1 HandshakeRequest', hex: '07 | 96 01 01 00 a0 00 80', message: DEFAULT_HANDSHAKE },
  {
    name: '2 HandshakeRequest on demand, with a target',
    hex: '0a | 96 01 01 01 a3616263 00 80',
    message: { ...DEFAULT_HANDSHAKE, connectionType: 1, target: 'abc' },
  },
  {
    name: '3 HandshakeRequest, migration level 1',
    hex: '07 | 96 01 01 00 a0 01 80',
    message: { ...DEFAULT_HANDSHAKE, migrationLevel: 1 },
  },
  {
    name: '4 HandshakeResponse, no id',
    hex: '05 | 94 02 a0 80 c0',
    message: answer('', undefined),
  },
  {
    name: '5 HandshakeResponse with an id',
    hex: '08 | 94 02 a0 80 a3616263',
    message: answer('', 'abc'),
  },
  {
    name: '6 HandshakeResponse with an error',
    hex: '16 | 94 02 b156657273696f6e206d69736d617463682e 80 c0',
    message: answer('Version mismatch.', undefined),
  },
  { name: '7 Ping, bare', hex: '02 | 91 03', message: ping() },
  { name: '8 Ping a=b', hex: '06 | 93 03 a161 a162', message: ping('a', 'b') },
  {
    name: '9 Ping, keep-alive of the .NET SDK',
    hex: '1c | 95 03 ac23636c69656e74496e487562 a23132 a723636c69656e74 a133',
    message: ping('#clientInHub', '12', '#client', '3'),
  },
  {
    name: '10 Ping status=1',
    hex: '0b | 93 03 a6737461747573 a131',
    message: ping('status', '1'),
  },
  {
    name: '11 Ping, answer to status',
    hex:
      '35 | 99 03 a6737461747573 a130 ab636c69656e74636f756e74 a130 ' +
      'ab736572766572636f756e74 a135 a86361706163697479 a431303030',
    message: ping('status', '0', 'clientcount', '0', 'servercount', '5', 'capacity', '1000'),
  },
  { name: '12 Ping servers=', hex: '0b | 93 03 a773657276657273 a0', message: ping('servers', '') },
  {
    name: '13 Ping, answer to servers',
    hex: '25 | 93 03 a773657276657273 ba3633383436363732353739303030303030303a615f313b625f32',
    message: ping('servers', '638466725790000000:a_1;b_2'),
  },
  {
    name: '14 Ping target=inst1',
    hex: '0f | 93 03 a6746172676574 a5696e737431',
    message: ping('target', 'inst1'),
  },
  {
    name: '15 Ping offline=inst1',
    hex: '10 | 93 03 a76f66666c696e65 a5696e737431',
    message: ping('offline', 'inst1'),
  },
  {
    name: '16 Ping shutdown=fin:0',
    hex: '11 | 93 03 a873687574646f776e a566696e3a30',
    message: ping('shutdown', 'fin:0'),
  },
  {
    name: '16 Ping shutdown=fin:2',
    hex: '11 | 93 03 a873687574646f776e a566696e3a32',
    message: ping('shutdown', 'fin:2'),
  },
  {
    name: '17 Ping shutdown=finack',
    hex: '12 | 93 03 a873687574646f776e a666696e61636b',
    message: ping('shutdown', 'finack'),
  },
  {
    name: '18 Ping echo=abc',
    hex: '0b | 93 03 a46563686f a3616263',
    message: ping('echo', 'abc'),
  },
  {
    name: '38 ServiceError',
    hex:
      '2f | 92 0f d92b4d6178696d756d206d65737361676520636f756e74206c696d697420' +
      '726561636865643a20313030303030',
    message: { type: M.ServiceError, errorMessage: 'Maximum message count limit reached: 100000' },
  },
  {
    name: '44 ServiceEvent',
    hex: '22 | 96 16 02 a3616263 02 b85573657220616263206973206e6f7420657869737465642e 80',
    message: {
      type: M.ServiceEvent,
      objectType: 2,
      id: 'abc',
      kind: 2,
      message: 'User abc is not existed.',
    },
  },
  {
    name: '49 AccessKeyRequest',
    hex: '0a | 94 1c a5746f6b656e c0 80',
    message: { type: M.AccessKeyRequest, token: 'token', kid: undefined },
  },
  {
    name: '50 AccessKeyResponse',
    hex: '0d | 96 1d a36b6964 a36b6579 c0 c0 80',
    message: {
      type: M.AccessKeyResponse,
      kid: 'kid',
      accessKey: 'key',
      errorType: undefined,
      errorMessage: undefined,
    },
  },
  {
    name: '58 HandshakeRequest, stateful reconnect not allowed',
    hex: '08 | 97 01 01 00 a0 00 80 c2',
    message: { ...DEFAULT_HANDSHAKE, allowStatefulReconnects: false },
  },
  {
    name: '58 HandshakeRequest, stateful reconnect allowed',
    hex: '08 | 97 01 01 00 a0 00 80 c3',
    message: { ...DEFAULT_HANDSHAKE, allowStatefulReconnects: true },
  },
  {
    name: '20.1 HandshakeRequest, migration level 1, stateful reconnect allowed',
    hex: '08 | 97 01 01 00 a0 01 80 c3',
    message: { ...DEFAULT_HANDSHAKE, migrationLevel: 1, allowStatefulReconnects: true },
  },
  {
    name: '20.1 Ping, keep-alive',
    hex: '1b | 95 03 ac23636c69656e74496e487562 a131 a723636c69656e74 a131',
    message: ping('#clientInHub', '1', '#client', '1'),
  },
  {
    name: '20.1 Ping shutdown=fin:1',
    hex: '11 | 93 03 a873687574646f776e a566696e3a31',
    message: ping('shutdown', 'fin:1'),
  },
];
