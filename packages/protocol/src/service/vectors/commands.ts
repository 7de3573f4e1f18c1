import { MessageType as M } from '../message.ts';
import type { Vector } from './vector.ts';
import { hex, tracing } from './vector.ts';

export const BARE_MEMBER_QUERY = {
  type: M.GroupMemberQuery,
  group: 'group',
  ackId: 1,
  top: undefined,
  continuationToken: undefined,
  maxPageSize: undefined,
} as const;

/**
 * Rows 39 to 43, 45 to 48, 51, 52, 59, 61 and section 20.1: groups, checks, closes and acks. The
 * messages that have no row there are written by hand from the layouts of section 6.
 */
export const COMMAND_VECTORS: readonly Vector[] = [
  {
    name: '39 JoinGroupWithAck',
    hex: '12 | 95 12 a6636f6e6e3134 a667726f757031 01 80',
    message: { type: M.JoinGroupWithAck, connectionId: 'conn14', group: 'group1', ackId: 1 },
  },
  {
    name: '40 LeaveGroupWithAck',
    hex: '12 | 95 13 a6636f6e6e3135 a667726f757032 01 80',
    message: { type: M.LeaveGroupWithAck, connectionId: 'conn15', group: 'group2', ackId: 1 },
  },
  {
    name: '41 Ack, ok',
    hex: '06 | 95 14 07 01 a0 80',
    message: { type: M.Ack, ackId: 7, status: 1, message: '' },
  },
  {
    name: '41 Ack, not found',
    hex: '06 | 95 14 07 02 a0 80',
    message: { type: M.Ack, ackId: 7, status: 2, message: '' },
  },
  {
    name: '42 UserJoinGroup',
    hex: '13 | 94 10 a6636f6e6e3130 a667726f757031 81 02 64',
    message: { type: M.UserJoinGroup, userId: 'conn10', group: 'group1', ttl: 100 },
  },
  {
    name: '43 CheckUserInGroupWithAck',
    hex: '13 | 95 15 a475736572 a567726f7570 03 81 01 cd04d2',
    message: {
      type: M.CheckUserInGroupWithAck,
      userId: 'user',
      group: 'group',
      ackId: 3,
      tracingId: tracing(1234),
    },
  },
  {
    name: '45 CheckGroupExistenceWithAck',
    hex: '0c | 94 17 a567726f7570 00 81 01 03',
    message: {
      type: M.CheckGroupExistenceWithAck,
      group: 'group',
      ackId: 0,
      tracingId: tracing(3),
    },
  },
  {
    name: '46 CheckConnectionExistenceWithAck',
    hex: '0d | 94 18 a6636f6e6e4964 01 81 01 02',
    message: {
      type: M.CheckConnectionExistenceWithAck,
      connectionId: 'connId',
      ackId: 1,
      tracingId: tracing(2),
    },
  },
  {
    name: '47 CheckUserExistenceWithAck',
    hex: '0a | 94 19 a3756964 04 81 01 17',
    message: {
      type: M.CheckUserExistenceWithAck,
      userId: 'uid',
      ackId: 4,
      tracingId: tracing(23),
    },
  },
  {
    name: '48 UserJoinGroupWithAck',
    hex: '1a | 95 1a a6636f6e6e3134 a667726f757031 01 82 01 cd04d2 02 cd029a',
    message: {
      type: M.UserJoinGroupWithAck,
      userId: 'conn14',
      group: 'group1',
      ackId: 1,
      tracingId: tracing(1234),
      ttl: 666,
    },
  },
  {
    name: '51 CloseUserConnectionsWithAck',
    hex: '0c | 96 20 a57573657231 c0 01 90 80',
    message: {
      type: M.CloseUserConnectionsWithAck,
      userId: 'user1',
      reason: undefined,
      ackId: 1,
      excludedConnectionIds: [],
    },
  },
  {
    name: '52 CloseConnectionsWithAck',
    hex: '0f | 95 1f c0 01 91 a6636f6e6e4964 81 01 01',
    message: {
      type: M.CloseConnectionsWithAck,
      reason: undefined,
      ackId: 1,
      excludedConnectionIds: ['connId'],
      tracingId: tracing(1),
    },
  },
  {
    name: '59 Ack with a payload',
    hex: '0b | 96 14 02 00 a0 80 c403010203',
    message: { type: M.Ack, ackId: 2, status: 0, message: '', payload: hex('010203') },
  },
  {
    name: '18.5 GroupMemberQuery, everything left to the service',
    hex: '0d | 97 28 80 a567726f7570 01 c0 c0 c0',
    message: BARE_MEMBER_QUERY,
  },
  {
    name: '18.5 GroupMemberQuery',
    hex: '16 | 97 28 81 01 cd04d2 a567726f7570 01 0a a5746f6b656e 05',
    message: {
      type: M.GroupMemberQuery,
      group: 'group',
      ackId: 1,
      top: 10,
      continuationToken: 'token',
      maxPageSize: 5,
      tracingId: tracing(1234),
    },
  },
  {
    name: '20.1 JoinGroupWithAck',
    hex: '09 | 95 12 a26331 a167 01 80',
    message: { type: M.JoinGroupWithAck, connectionId: 'c1', group: 'g', ackId: 1 },
  },
  {
    name: '20.1 LeaveGroupWithAck',
    hex: '09 | 95 13 a26331 a167 02 80',
    message: { type: M.LeaveGroupWithAck, connectionId: 'c1', group: 'g', ackId: 2 },
  },
  {
    name: 'section 6, JoinGroup',
    hex: '08 | 94 0b a26331 a167 80',
    message: { type: M.JoinGroup, connectionId: 'c1', group: 'g' },
  },
  {
    name: 'section 6, LeaveGroup',
    hex: '08 | 94 0c a26331 a167 80',
    message: { type: M.LeaveGroup, connectionId: 'c1', group: 'g' },
  },
  {
    name: 'section 6, UserLeaveGroup, every group',
    hex: '07 | 94 11 a27531 c0 80',
    message: { type: M.UserLeaveGroup, userId: 'u1', group: undefined },
  },
  {
    name: 'section 6, UserLeaveGroupWithAck',
    hex: '09 | 95 1b a27531 a167 05 80',
    message: { type: M.UserLeaveGroupWithAck, userId: 'u1', group: 'g', ackId: 5 },
  },
  {
    name: 'section 6, CloseConnectionWithAck',
    hex: '0a | 95 1e a26331 a26e6f 05 80',
    message: { type: M.CloseConnectionWithAck, connectionId: 'c1', reason: 'no', ackId: 5 },
  },
  {
    name: 'section 6, CloseGroupConnectionsWithAck',
    hex: '0d | 96 21 a167 a26e6f 05 91 a26331 80',
    message: {
      type: M.CloseGroupConnectionsWithAck,
      group: 'g',
      reason: 'no',
      ackId: 5,
      excludedConnectionIds: ['c1'],
    },
  },
  {
    name: 'FilteredCommands, of edges to each other',
    hex: '0b | 93 cd03e8 a166 c403 029106',
    message: { type: M.FilteredCommands, filter: 'f', commands: hex('029106') },
  },
  {
    name: 'ConnectionsQuery, of edges to each other',
    hex: '0c | 95 cd03e9 c0 a175 a3304065 32',
    message: {
      type: M.ConnectionsQuery,
      group: undefined,
      userId: 'u',
      continuationToken: '0@e',
      maxPageSize: 50,
    },
  },
  {
    name: 'CountQuery, of edges to each other',
    hex: '07 | 93 cd03ea a167 c0',
    message: { type: M.CountQuery, group: 'g', userId: undefined },
  },
];
