import { MessageType as M } from '../message.ts';
import { NEVER } from '../timestamp.ts';
import type { Vector } from './vector.ts';

/** 2026-07-01T12:00:00Z. */
const NOON = 1_782_907_200;
const ROLES = [
  ['role', 'a'],
  ['role', 'b'],
] as const;
const REFRESH = { type: M.RefreshAuth, connectionToken: 'tok', ackId: 7 } as const;

/** Section 18.6, as written by 1.34.0. */
export const AUTH_REFRESH_VECTORS: readonly Vector[] = [
  {
    name: '18.6 RefreshAuth, whole seconds',
    hex: '0f | 96 29 a3746f6b 80 d6ff6a450140 07 80',
    message: { ...REFRESH, claims: [], expireTime: { seconds: NOON, nanoseconds: 0 } },
  },
  {
    name: '18.6 RefreshAuth that keeps the deadline',
    hex: '18 | 96 29 a3746f6b 80 c70cff3b9ac99c0000003afff4417f 07 80',
    message: { ...REFRESH, claims: [], expireTime: NEVER },
  },
  {
    name: '18.6 RefreshAuth, two claims of one type, parts of a second',
    hex: '21 | 96 29 a3746f6b 82 a4726f6c65 a161 a4726f6c65 a162 d7ff1d6f32f06a450140 07 80',
    message: {
      ...REFRESH,
      claims: ROLES,
      expireTime: { seconds: NOON, nanoseconds: 123_456_700 },
    },
  },
  {
    name: '18.6 GetConnectionClaims',
    hex: '08 | 94 2a a3746f6b 07 80',
    message: { type: M.GetConnectionClaims, connectionToken: 'tok', ackId: 7 },
  },
  {
    name: '18.6 UpdateConnectionClaims',
    hex: '18 | 94 2b a5636f6e6e31 82 a4726f6c65 a161 a4726f6c65 a162 80',
    message: { type: M.UpdateConnectionClaims, connectionId: 'conn1', claims: ROLES },
  },
  {
    name: '18.6 UpdateConnectionClaims, none left',
    hex: '0a | 94 2b a5636f6e6e31 80 80',
    message: { type: M.UpdateConnectionClaims, connectionId: 'conn1', claims: [] },
  },
];
