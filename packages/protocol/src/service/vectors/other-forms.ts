import { MessageType as M } from '../message.ts';
import { BARE_MEMBER_QUERY } from './commands.ts';
import type { Vector } from './vector.ts';
import { hex, payloads, tracing } from './vector.ts';

const CONN1 = { type: M.OpenConnection, connectionId: 'conn1', claims: [] } as const;
const BARE = { ...CONN1, headers: new Map<string, string[]>(), queryString: '' };
const TO_GROUP = {
  type: M.GroupBroadcastData,
  group: 'g',
  excludedConnectionIds: [],
  excludedUserIds: [],
  callerUserId: undefined,
} as const;

/**
 * Forms that a reader must take and no writer of ours makes: what older SDKs send (below the table
 * of section 16, and section 6), wider integers (5.2), nil for empty (5.2), bytes to pass over (5.4).
 */
export const OTHER_FORMS: readonly Vector[] = [
  {
    name: '61 GroupMemberQuery of older SDKs, without a page size',
    hex: '15 | 96 28 81 01 cd04d2 a567726f7570 01 0a a5746f6b656e',
    message: {
      type: M.GroupMemberQuery,
      group: 'group',
      ackId: 1,
      top: 10,
      continuationToken: 'token',
      maxPageSize: undefined,
      tracingId: tracing(1234),
    },
  },
  {
    name: 'GroupMemberQuery of six elements, with nil for how many',
    hex: '0c | 96 28 80 a567726f7570 01 c0 c0',
    message: BARE_MEMBER_QUERY,
  },
  {
    name: 'RefreshAuth with nil for no claims',
    hex: '0f | 96 29 a3746f6b c0 d6ff6a450140 07 80',
    message: {
      type: M.RefreshAuth,
      connectionToken: 'tok',
      claims: [],
      expireTime: { seconds: 1_782_907_200, nanoseconds: 0 },
      ackId: 7,
    },
  },
  {
    name: 'HandshakeRequest of two elements',
    hex: '03 | 92 01 01',
    message: {
      type: M.HandshakeRequest,
      version: 1,
      connectionType: 0,
      target: '',
      migrationLevel: 0,
    },
  },
  {
    name: 'HandshakeRequest of three elements, where the third is not read',
    hex: '04 | 93 01 01 01',
    message: {
      type: M.HandshakeRequest,
      version: 1,
      connectionType: 0,
      target: '',
      migrationLevel: 0,
    },
  },
  {
    name: 'HandshakeRequest of four elements',
    hex: '08 | 94 01 01 02 a3616263',
    message: {
      type: M.HandshakeRequest,
      version: 1,
      connectionType: 2,
      target: 'abc',
      migrationLevel: 0,
    },
  },
  {
    name: 'HandshakeRequest of five elements',
    hex: '06 | 95 01 01 00 a0 01',
    message: {
      type: M.HandshakeRequest,
      version: 1,
      connectionType: 0,
      target: '',
      migrationLevel: 1,
    },
  },
  {
    name: 'HandshakeResponse of two elements',
    hex: '03 | 92 02 a0',
    message: { type: M.HandshakeResponse, errorMessage: '', connectionId: undefined },
  },
  {
    name: 'HandshakeResponse, nil for no error',
    hex: '05 | 94 02 c0 80 c0',
    message: { type: M.HandshakeResponse, errorMessage: '', connectionId: undefined },
  },
  { name: 'OpenConnection without ext', hex: '0b | 95 04 a5636f6e6e31 80 80 a0', message: BARE },
  {
    name: 'OpenConnection of three elements, then a stray string',
    hex: '0e | 93 04 a5636f6e6e31 80 a474657374',
    message: BARE,
  },
  {
    name: 'OpenConnection of four elements, where the headers are not read',
    hex: '0d | 94 04 a5636f6e6e31 80 81 a161 90',
    message: BARE,
  },
  {
    name: 'OpenConnection of five elements, then a stray string',
    hex: '10 | 95 04 a5636f6e6e31 80 80 a0 a474657374',
    message: BARE,
  },
  {
    name: 'CloseConnection of three elements, nil for no error',
    hex: '09 | 93 05 a5636f6e6e33 c0',
    message: {
      type: M.CloseConnection,
      connectionId: 'conn3',
      errorMessage: '',
      headers: new Map(),
    },
  },
  {
    name: 'ConnectionData without ext',
    hex: '11 | 93 06 a5636f6e6e35 c40701020304050607',
    message: {
      type: M.ConnectionData,
      connectionId: 'conn5',
      payload: hex('01020304050607'),
    },
  },
  {
    name: 'ConnectionData, nil for no payload, an element too many',
    hex: '08 | 95 06 a26331 c0 80 01',
    message: { type: M.ConnectionData, connectionId: 'c1', payload: Buffer.alloc(0) },
  },
  {
    name: 'ConnectionData, an unknown extension before a known one',
    hex: '10 | 94 06 a26331 c40161 82 63 9201a178 05 02',
    message: {
      type: M.ConnectionData,
      connectionId: 'c1',
      payload: Buffer.from('a'),
      dataType: 2,
    },
  },
  {
    name: 'GroupBroadcastData of five elements',
    hex: '1e | 95 0d a167 90 82 a46a736f6e c40101 ab6d6573736167657061636b c40102 80',
    message: { ...TO_GROUP, payloads: payloads('01', '02') },
  },
  {
    name: 'GroupBroadcastData of six elements, where the excluded users are not read',
    hex: '0a | 96 0d a167 90 80 80 91 a175',
    message: { ...TO_GROUP, payloads: new Map() },
  },
  {
    name: 'GroupBroadcastData of four elements',
    hex: '06 | 94 0d a167 90 80',
    message: { ...TO_GROUP, payloads: new Map() },
  },
  {
    name: 'Ack of four elements',
    hex: '05 | 94 14 01 64 a0',
    message: { type: M.Ack, ackId: 1, status: 100, message: '' },
  },
  {
    name: 'Ack, nil for no payload',
    hex: '07 | 96 14 02 01 a0 80 c0',
    message: { type: M.Ack, ackId: 2, status: 1, message: '' },
  },
  {
    name: 'JoinGroupWithAck, every number wider than it need be',
    hex: '28 | 95 cd0012 da00026331 d90167 d300000000000004d2 df00000001 d200000001 cf00000000000004d2',
    message: {
      type: M.JoinGroupWithAck,
      connectionId: 'c1',
      group: 'g',
      ackId: 1234,
      tracingId: tracing(1234),
    },
  },
];
