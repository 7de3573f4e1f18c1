import { MessageType as M } from '../message.ts';
import type { Vector } from './vector.ts';
import { hex, payloads } from './vector.ts';

const TO_CONNECTIONS = payloads('02030405060701', '03040506070102');
const TO_USERS = payloads('06070102030405', '07010203040506');

/** The bytes of TO_USERS as a payload map. */
const TO_USERS_HEX = '82 a46a736f6e c40706070102030405 ab6d6573736167657061636b c40707010203040506';

const CALL = { invocationId: 'invocationId', connectionId: 'conn1' } as const;

/** Rows 31 to 37 and 53 to 56: sends to many, and client results. */
export const SEND_VECTORS: readonly Vector[] = [
  {
    name: '31 MultiConnectionData',
    hex:
      '34 | 94 07 92 a5636f6e6e36 a5636f6e6e37 ' +
      '82 a46a736f6e c40702030405060701 ab6d6573736167657061636b c40703040506070102 80',
    message: {
      type: M.MultiConnectionData,
      connectionIds: ['conn6', 'conn7'],
      payloads: TO_CONNECTIONS,
    },
  },
  {
    name: '32 UserData',
    hex: `2d | 94 08 a57573657231 ${TO_USERS_HEX} 80`,
    message: { type: M.UserData, userId: 'user1', payloads: TO_USERS },
  },
  {
    name: '33 MultiUserData',
    hex: `34 | 94 09 92 a57573657231 a57573657232 ${TO_USERS_HEX} 80`,
    message: { type: M.MultiUserData, userIds: ['user1', 'user2'], payloads: TO_USERS },
  },
  {
    name: '34 BroadcastData',
    hex: '28 | 94 0a 90 82 a46a736f6e c40704050607010203 ab6d6573736167657061636b c40705060701020304 80',
    message: {
      type: M.BroadcastData,
      excludedConnectionIds: [],
      payloads: payloads('04050607010203', '05060701020304'),
    },
  },
  {
    name: '35 GroupBroadcastData with everything excluded that can be',
    hex:
      `50 | 97 0d a667726f757033 92 a6636f6e6e3132 a6636f6e6e3133 ${TO_USERS_HEX} ` +
      '80 92 a57573657231 a57573657232 a57573657233',
    message: {
      type: M.GroupBroadcastData,
      group: 'group3',
      excludedConnectionIds: ['conn12', 'conn13'],
      payloads: TO_USERS,
      excludedUserIds: ['user1', 'user2'],
      callerUserId: 'user3',
    },
  },
  {
    name: '36 GroupBroadcastData',
    hex: `31 | 97 0d a667726f757033 90 ${TO_USERS_HEX} 80 90 c0`,
    message: {
      type: M.GroupBroadcastData,
      group: 'group3',
      excludedConnectionIds: [],
      payloads: TO_USERS,
      excludedUserIds: [],
      callerUserId: undefined,
    },
  },
  {
    name: '37 MultiGroupBroadcastData',
    hex:
      '38 | 94 0e 92 a667726f757034 a667726f757035 ' +
      '82 a46a736f6e c4080102030405060708 ab6d6573736167657061636b c4080708010203040506 80',
    message: {
      type: M.MultiGroupBroadcastData,
      groups: ['group4', 'group5'],
      payloads: payloads('0102030405060708', '0708010203040506'),
    },
  },
  {
    name: '53 ClientInvocation',
    hex:
      '42 | 96 22 ac696e766f636174696f6e4964 a5636f6e6e31 a773657276657231 ' +
      '82 a46a736f6e c40702030405060701 ab6d6573736167657061636b c40703040506070102 80',
    message: {
      type: M.ClientInvocation,
      ...CALL,
      callerServerId: 'server1',
      payloads: TO_CONNECTIONS,
    },
  },
  {
    name: '54 ClientCompletion',
    hex:
      '32 | 97 23 ac696e766f636174696f6e4964 a5636f6e6e31 a773657276657231 ' +
      'a46a736f6e c40702030405060701 81 03 a46a736f6e',
    message: {
      type: M.ClientCompletion,
      ...CALL,
      callerServerId: 'server1',
      protocol: 'json',
      payload: hex('02030405060701'),
    },
  },
  {
    name: '55 ErrorCompletion',
    hex:
      '31 | 96 24 ac696e766f636174696f6e4964 a5636f6e6e31 a773657276657231 ' +
      'b2696e766f636174696f6e206661696c65642e 80',
    message: {
      type: M.ErrorCompletion,
      ...CALL,
      callerServerId: 'server1',
      error: 'invocation failed.',
    },
  },
  {
    name: '56 ServiceMapping',
    hex: '20 | 95 25 ac696e766f636174696f6e4964 a5636f6e6e31 a9696e7374616e636531 80',
    message: { type: M.ServiceMapping, ...CALL, instanceId: 'instance1' },
  },
];
